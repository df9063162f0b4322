"""Removes the second factors of a person who has lost theirs, or to whose account an intruder has added one."""

from argparse import ArgumentParser
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError

from accounts.mfa import factors
from accounts.models import User
from accounts.security_log import Detail
from accounts.web.clients import Client

HERE = Client(None, "manage.py")


class Command(BaseCommand):
    help = "Remove a person's passkeys, authenticator app and recovery codes, log them out everywhere, and notify them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", metavar="EMAIL", required=True, help="whose factors; verify first who asks")
        parser.add_argument("--dry-run", action="store_true", help="only show what would be removed")

    def handle(self, *args: Any, user: str, dry_run: bool, **options: Any) -> None:
        owner = User.objects.by_email(user)
        if owner is None:
            raise CommandError(f"There is no account with the email {user}.")
        types = Authenticator.objects.filter(user=owner).order_by("created_at", "pk").values_list("type", flat=True)
        found = ", ".join(str(Detail(kind).label) for kind in types)
        if not found:
            self.stdout.write(f"{owner} has none. Nothing was changed.")
        elif dry_run:
            self.stdout.write(f"Would be removed: {found}.")
        else:
            factors.remove_all(owner, HERE)
            self.stdout.write(f"Removed: {found}. {owner} is logged out everywhere, and notified by mail.")
