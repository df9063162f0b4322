"""Copy the database while it is served."""

import shlex
import sqlite3
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from botpenguin.configuration import database
from botpenguin.operations import backups

WHAT_IS_NOT_IN_IT = (
    "It does not hold .env. Without the SECRET_KEY and TOKEN_KEYS there no token in it can be copied or used: keep "
    ".env too, and apart from the backup."
)


class Command(BaseCommand):
    help = (
        "Copy the SQLite database, as it is at one moment, while it is served. For PostgreSQL, say how pg_dump does it "
        "and end with 1, since no backup was made."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a new file; in a folder that exists, one named for the moment")

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        to = path / backups.dated_name() if path.is_dir() else path
        if connection.vendor == "postgresql":
            raise CommandError(f"{how_to_dump(path)}\n\n{WHAT_IS_NOT_IN_IT}")
        try:
            backups.take(database.file_of(settings.DATABASES["default"]["NAME"]), to)
        except FileExistsError:
            raise CommandError(f"{to} exists, and a backup never takes the place of a file. Name another.") from None
        except (backups.Unusable, OSError, sqlite3.Error) as error:
            raise CommandError(f"No backup was made. {error}") from error
        self.stdout.write(f"The database is backed up to {to}, {to.stat().st_size:,} bytes.\n{WHAT_IS_NOT_IN_IT}")


def how_to_dump(path: Path) -> str:
    dump = shell_command("pg_dump", "--format=custom", f"--file={path}", on_postgresql()["NAME"])
    return (
        f"No backup was made: PostgreSQL's own program makes it, while the database is served. Run\n\n"
        f"  (umask 077 && {dump})\n\n"
        "It asks for the password, or finds it in PGPASSWORD or ~/.pgpass."
    )


def on_postgresql() -> dict[str, Any]:
    """Return the configuration of PostgreSQL itself: its programs need sessions, which no pooler keeps."""
    details: dict[str, Any] = settings.DIRECT_DATABASE or settings.DATABASES["default"]
    return details


def shell_command(program: str, *arguments: str) -> str:
    """Return a shell command that runs a PostgreSQL program for this database, without the password."""
    [_psql, *where, _name], environment = connection.client.settings_to_cmd_args_env(on_postgresql(), [])
    names = [f"{name}={value}" for name, value in (environment or {}).items() if name != "PGPASSWORD"]
    return shlex.join([*(["env", *names] if names else []), program, *where, *arguments])
