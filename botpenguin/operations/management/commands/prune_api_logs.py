"""Delete old logs of outbound calls."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from developers.outbound import running


class Command(BaseCommand):
    help = "Delete the logs of outbound calls that are older than a number of days, at most 10."

    def add_arguments(self, parser: ArgumentParser) -> None:
        most = running.KEPT_FOR.days
        parser.add_argument("--older-than", type=int, default=most, metavar="DAYS", help=f"days that are kept ({most})")

    def handle(self, *args: Any, older_than: int, **options: Any) -> None:
        if not 0 <= older_than <= running.KEPT_FOR.days:
            raise CommandError(f"--older-than wants 0 to {running.KEPT_FOR.days} days: nothing is kept longer.")
        deleted = sum(running.prune_logs(timezone.now() - timedelta(days=older_than)))
        self.stdout.write(f"{deleted} logs of outbound calls deleted.")
