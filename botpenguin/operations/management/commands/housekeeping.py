from typing import Any

from django.core.management.base import BaseCommand, CommandError

from botpenguin.operations.housekeeping import Round


class Command(BaseCommand):
    help = "Delete what has had its time, as the mail worker does once a day. Ends with 1 where a part fails."

    def handle(self, *args: Any, **options: Any) -> None:
        whole = Round()
        for _ in whole.steps():
            pass
        self.stdout.write(f"{whole}.")
        if whole.older_hashes:
            self.stdout.write(f"Accounts with a password hash of an older kind: {whole.older_hashes}.")
        if whole.failed:
            raise CommandError(f"These failed, as the log says: {', '.join(whole.failed)}.")
