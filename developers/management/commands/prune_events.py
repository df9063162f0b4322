"""Forget what happened long ago."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import security_log
from developers import issuance

KEPT_DAYS = security_log.KEPT_FOR.days


class Command(BaseCommand):
    help = "Delete events of accounts and tokens that are older than a number of days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than", type=int, default=KEPT_DAYS, metavar="DAYS", help=f"days that are kept ({KEPT_DAYS})"
        )

    def handle(self, *args: Any, older_than: int, **options: Any) -> None:
        if older_than < 1:
            raise CommandError("--older-than wants at least 1 day.")
        before = timezone.now() - timedelta(days=older_than)
        account, token = sum(security_log.forget(before)), sum(issuance.forget_events(before))
        self.stdout.write(f"{account} events of accounts and {token} of tokens deleted.")
