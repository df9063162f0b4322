"""Count the contacts of every account anew, where somebody has changed them by SQL."""

from typing import Any

from django.core.management import BaseCommand

from botpenguin.platform.models import ContactUsage
from botpenguin.platform.usages import recount


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        owners = list(ContactUsage.objects.values_list("pk", flat=True))
        corrected = sum(recount(owner) for owner in owners)
        self.stdout.write(f"{len(owners)} accounts counted, {corrected} corrected.")
