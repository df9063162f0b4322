from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from accounts.orm.bulk import bulk_writes
from botpenguin.platform import demo
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment
from botpenguin.platform.staging import parts
from botpenguin.platform.usages import recount

AT_ONCE = 100


class Command(BaseCommand):
    help = (
        "Give an account 3 bots, 500 contacts and 3 segments to try things out with. "
        "Adds only what is missing: a second run doubles nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, metavar="EMAIL", help="whose account it is")
        parser.add_argument("--seed", type=int, default=1, help="another number makes other people (default: 1)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            owner = User.objects.get_by_natural_key(options["user"])
        except User.DoesNotExist:
            raise CommandError(f"There is no account with the email {options['user']}.") from None
        before = _counts(owner)
        _add_what_is_missing(owner, options["seed"])
        added = [after - count for after, count in zip(_counts(owner), before, strict=True)]
        self.stdout.write("Added {} bots, {} contacts and {} segments to {}.".format(*added, owner))


def _counts(owner: User) -> list[int]:
    return [rows.count() for rows in (owner.bots, owner.contacts, owner.segments)]


def _add_what_is_missing(owner: User, seed: int) -> None:
    """Leave alone what is there already, by its id or as another with the same email, number or name."""
    now = timezone.now()
    bots = demo.bots(owner, now)
    Bot.objects.bulk_create(bots, ignore_conflicts=True)
    Segment.objects.bulk_create(demo.segments(owner), ignore_conflicts=True)
    there = set(owner.contacts.values_list("pk", flat=True))
    people = [person for person in demo.contacts(owner, bots, now, seed) if person[0].pk not in there]
    for part in parts(people, AT_ONCE):
        with bulk_writes(), transaction.atomic():
            _add_people(owner, part)
    recount(owner.pk)


def _add_people(owner: User, people: Sequence[tuple[Contact, list[str]]]) -> None:
    Contact.objects.bulk_create([contact for contact, _ in people], ignore_conflicts=True)
    tags = {contact.pk: names for contact, names in people}
    added = owner.contacts.filter(pk__in=tags)
    added.update(updated_at=F("last_seen_at"))
    ContactTag.objects.bulk_create(
        ContactTag(contact=contact, name=name) for contact in added for name in tags[contact.pk]
    )
