"""Revokes tokens from the command line: one user's, or all of them after a leak."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from accounts.models import User
from accounts.web.clients import Client
from developers import issuance
from developers.models import ApiToken, RevokedToken

HERE = Client(None, "manage.py")


class Command(BaseCommand):
    help = "Revoke API access tokens. Their owners get an email, and find a new token on their page."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--user", metavar="EMAIL", help="the token of this person")
        which.add_argument("--all", action="store_true", help="the tokens of everybody")
        which.add_argument(
            "--issued-before", metavar="WHEN", help="those issued before this moment: 2026-11-24, or 2026-11-24T14:02Z"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say how many that would be")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        chosen = self._choose(options)
        if dry_run:
            self.stdout.write(f"{chosen.count()} tokens would be revoked.")
            return
        revoked = issuance.revoke_all(chosen, HERE, RevokedToken.Reason.OPERATOR)
        self.stdout.write(f"{revoked} tokens revoked. Their owners are notified by email.")

    def _choose(self, options: dict[str, Any]) -> QuerySet[ApiToken]:
        tokens = ApiToken.objects.all()
        # `is not None`: an empty shell variable must not mean all users.
        if options["user"] is not None:
            owner = User.objects.by_email(options["user"])
            if owner is None:
                raise CommandError(f"There is no account with the email {options['user']}.")
            return tokens.filter(user=owner)
        if options["issued_before"] is not None:
            return tokens.filter(issued_at__lt=parse_time(options["issued_before"]))
        return tokens


def parse_time(text: str) -> datetime:
    """Read a date or a time of ISO 8601; without a zone it is in UTC. Raises `CommandError`."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text} is not a date or time such as 2026-11-24 or 2026-11-24T14:02Z.") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
