"""Replace the database by a backup."""

import sqlite3
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from accounts.models import User
from botpenguin.configuration import database
from botpenguin.database import direct
from botpenguin.operations import backups, restoring, rows, schemas
from botpenguin.operations.management.commands.backup import on_postgresql, shell_command
from botpenguin.operations.restoring import Settled

IN_USE = "The database is in use. Stop every server, mail worker and other command first."
AS_THEN = (
    "Passwords, emails, authenticator apps, passkeys and recovery codes are as they were when the backup was taken, "
    "also those that have been changed or used since."
)


class Command(BaseCommand):
    help = (
        "Put a backup of the SQLite database into its place, with new tokens and everybody logged out; the "
        "database that was there is kept. For PostgreSQL, say how pg_restore does it, and end with 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("path", type=Path, nargs="?", help="a file that `backup` has made")
        which.add_argument(
            "--after-pg-restore", action="store_true", help="what is left to do in the PostgreSQL database by now"
        )
        parser.add_argument(
            "--keep-tokens", action="store_true", help="keep the tokens of the backup: this undoes every revoke since"
        )
        parser.add_argument(
            "--even-if-empty", action="store_true", help="with --no-input, restore a backup without any account too"
        )
        parser.add_argument(
            "--no-input", "--noinput", action="store_false", dest="interactive", help="do it without asking"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        is_postgresql = connection.vendor == "postgresql"
        if is_postgresql and not options["after_pg_restore"]:
            raise CommandError(how_to_restore(options["path"]))
        if options["after_pg_restore"] and not is_postgresql:
            raise CommandError("--after-pg-restore is for PostgreSQL. Name the backup that is to be restored.")
        try:
            if is_postgresql:
                with direct.as_default():
                    self._finish(**options)
            else:
                self._restore(**options)
        except backups.Unusable as reason:
            raise CommandError(f"Nothing was restored. {reason}") from reason
        except (OSError, sqlite3.Error, DatabaseError) as error:
            raise CommandError(f"Nothing was restored: {error}.") from error

    def _restore(self, *, path: Path, keep_tokens: bool, **options: Any) -> None:
        live = database.file_of(settings.DATABASES["default"]["NAME"])
        if live.exists() and path.samefile(live):
            raise backups.Unusable(f"{path} is the database itself.")
        with backups.alone_with(live) as running, backups.staged(path, live) as copy:
            backups.check(copy)
            with schemas.connected_to(copy):
                restoring.bring_up_to_date()
                taken_at = restoring.newest_entry() or datetime.fromtimestamp(path.stat().st_mtime).astimezone()
                warning = warn(taken_at, backups.generations(running)) if keep_tokens else ""
                self._show_rows(backups.count_rows(running), **options)
                self._ask(f"{path} takes the place of {live}.", taken_at, warning, **options)
                settled = restoring.settle(keep_tokens=keep_tokens)
            aside = backups.install(copy, live, running)
        kept = f"The database that was there is kept as {aside}." if aside else "There was no database before."
        self.stdout.write(f"{path} is restored. {kept}")
        self._report(settled, warning)

    def _finish(self, *, keep_tokens: bool, **options: Any) -> None:
        if restoring.is_used_by_others():
            raise backups.Unusable(IN_USE)
        restoring.bring_up_to_date()
        taken_at = restoring.newest_entry()
        warning = warn(taken_at, None) if keep_tokens else ""
        self._show_rows({}, **options)
        self._ask("The database was restored by pg_restore.", taken_at, warning, **options)
        self._report(restoring.settle(keep_tokens=keep_tokens), warning)

    def _show_rows(self, running: dict[str, int], *, interactive: bool, even_if_empty: bool, **options: Any) -> None:
        """Print the row counts. With --no-input refuse a backup without any account."""
        counts = rows.count()
        self.stdout.write(rows.compare(counts, running))
        if not (interactive or even_if_empty or counts[User._meta.db_table]):
            raise backups.Unusable("There is no account in it. If that is right, add --even-if-empty.")

    def _ask(self, what: str, taken_at: datetime | None, warning: str, *, interactive: bool, **options: Any) -> None:
        if not interactive:
            return
        tokens = (
            warning or "Every token is replaced by a fresh one; programs that use one stop until they are given it."
        )
        question = f"{what} The newest entry in it is of {format_time(taken_at)}.\n{tokens}\nEverybody is logged out."
        try:
            answer = input(f"{question}\nType 'yes' to continue, or 'no' to cancel: ")
        except EOFError:
            answer = "nothing"
        if answer != "yes":
            raise backups.Unusable(f"You said {answer}.")

    def _report(self, settled: Settled, warning: str) -> None:
        self.stdout.write(
            self.style.WARNING(warning)
            if warning
            else f"Tokens replaced: {settled.tokens}. The old ones are refused, and their owners are notified by email."
        )
        self.stdout.write(
            f"Sessions ended: {settled.sessions}. Mails dropped that waited in the backup: {settled.mails}; most of "
            f"them were sent soon after it was taken.\n{AS_THEN}"
        )


def warn(taken_at: datetime | None, generations: dict[int, int] | None) -> str:
    """Return a warning about the revokes that are undone. `generations` are those of the replaced database."""
    known = (
        f"In the database that was there, {restoring.count_replaced_since(generations)} of them had been replaced."
        if generations is not None
        else "How many those are is unknown here."
    )
    return (
        f"WARNING: every revoke answered since {format_time(taken_at)} is undone. Tokens that were revoked, reported "
        f"as exposed or replaced with a password since then open the API again. {known} "
        "`manage.py revoke_tokens --all` replaces them all."
    )


def how_to_restore(path: Path) -> str:
    name = on_postgresql()["NAME"]
    new = f"{name}_restored"
    urls = ["DATABASE_URL", *(["DATABASE_DIRECT_URL"] if settings.DIRECT_DATABASE else [])]
    create = shell_command("createdb", new)
    restore = shell_command(
        "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", f"--dbname={new}", str(path)
    )
    return (
        "Nothing was restored: PostgreSQL's own program does it, into a new database, so that the old one is kept.\n\n"
        "1. Stop every server and mail worker.\n"
        f"2. {create}\n"
        f"3. {restore}\n"
        f"4. Change {' and '.join(urls)}: the name of the database is {new} now.\n"
        "5. manage.py restore --after-pg-restore\n"
        "6. Start them again.\n\n"
        "The programs ask for the password, or find it in PGPASSWORD or ~/.pgpass. The fifth step replaces every "
        "token, unless it gets --keep-tokens, and ends all sessions. Without it, revoked tokens open the API again."
    )


def format_time(at: datetime | None) -> str:
    return f"{at:%F %T %Z}" if at else "an unknown time"
