"""Delete old events."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import security_log


class Command(BaseCommand):
    help = "Delete events of the security log that are older than a number of days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        usual = settings.EVENTS_KEPT_DAYS
        parser.add_argument(
            "--older-than", type=int, default=usual, metavar="DAYS", help=f"days that are kept ({usual})"
        )

    def handle(self, *args: Any, older_than: int, **options: Any) -> None:
        if older_than < 1:
            raise CommandError("--older-than wants at least 1 day.")
        before = timezone.now() - timedelta(days=older_than)
        self.stdout.write(f"{sum(security_log.forget(before))} events deleted.")
