"""Lists accounts and contacts of version 0.1.0 whose email could not be brought into its normal spelling."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand

from accounts.email_addresses import of_before, spelled
from accounts.models import User
from botpenguin.platform.models import Contact

BEYOND_ASCII = "[^ -~]"


class Command(BaseCommand):
    help = (
        "List accounts and contacts whose email could not be brought into its normal spelling, because another has "
        "that email or because it is no address. Changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = [*_accounts(), *_contacts()]
        self.stdout.write("\n".join([*found, f"Found {len(found)}."]))


def _accounts() -> Iterator[str]:
    for user in User.objects.filter(email__regex=BEYOND_ASCII).order_by("pk"):
        try:
            other = User.objects.filter(email=of_before(user.email)).first()
        except ValidationError:
            other = None
        reason = f"account {other.pk} has {other.email}" if other else "it gets no mail. Give it another address"
        yield f"Account {user.pk}, {_printable(user.email)}: {reason}."


def _contacts() -> Iterator[str]:
    for contact in Contact.objects.filter(email__regex=BEYOND_ASCII).order_by("owner_id", "pk"):
        try:
            other = Contact.objects.owned_by(contact.owner_id).filter(email=spelled(contact.email)).first()
        except ValidationError:
            other = None
        reason = f"contact {other.pk} has {other.email}" if other else "it is no address"
        yield f"Contact {contact.pk} of account {contact.owner_id}, {_printable(contact.email)}: {reason}."


def _printable(email: str) -> str:
    """Return an email on one line, whatever characters it has."""
    return email if email.isprintable() else ascii(email)
