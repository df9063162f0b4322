"""List the contacts whose telephone number cannot be read, or is another contact's in another spelling.

They keep the numbers that they had before numbers were read. Exits with 1 where there are any. Shows no number.
"""

from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.orm.reading import by_key
from botpenguin.platform.models import Contact
from botpenguin.platform.phones import Phone

COLUMNS = ("pk", "owner_id", "owner__email", "phone", "phone_prefix")


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for pk, owner, email, phone, prefix in by_key(Contact.objects.exclude(phone=""), *COLUMNS):
            if why := _problem(owner, Phone(phone, prefix)):
                count += 1
                self.stdout.write(f"{email}: contact {pk} {why}")
        if count:
            raise CommandError(f"{count} contacts keep a number of before. Change or delete them.")
        self.stdout.write("All numbers can be read.")


def _problem(owner: int, stored: Phone) -> str:
    read = Phone.of_stored(stored.whole, stored.prefix)
    if read == stored:
        return ""
    if read.problem:
        return "has a number that cannot be read"
    others = Contact.objects.owned_by(owner).exclude(phone=stored.whole)
    other = others.filter(phone=read.whole).values_list("pk", flat=True).first()
    return f"has the number of contact {other}" if other else "has a number that is read as another now"
