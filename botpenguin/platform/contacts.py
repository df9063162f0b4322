"""Creates and changes contacts, from a row of an import or from one request.

A request changes one contact in one transaction that first locks the owner's row. So other changes of the account's
contacts wait, and an email that was checked to be free stays free. `imports` writes many contacts.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q, Sum
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.orm.bulk import writes_of
from accounts.orm.changes import Gone
from accounts.orm.owners import changing
from botpenguin.platform import sizes, usages
from botpenguin.platform.models import Bot, Contact, ContactQuerySet, ContactTag, Platform
from botpenguin.platform.models.contacts import MOST_PREFIXES
from botpenguin.platform.phones import Phone, readings

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# Old versions of SQLite accept 999 parameters a statement.
AT_ONCE = 400

EMAIL_TAKEN = _("the email is another contact's")
PHONE_TAKEN = _("the number is another contact's")
TAKEN_BY_TWO = _("the email is one contact's and the number another's")
SEVERAL_WITH_PHONE = _("several contacts have this number; send its prefix too")
PHONE_FIELD = "profile.userDetails.contact.phone"
NOBODY = _("a contact needs a name, an email or a number")
MOST_ATTRIBUTES = 100
TOO_MANY_ATTRIBUTES = _("a contact has at most 100 attributes")
MOST_TAGS = 50
# What an import, and what a request, may change of a contact.
IMPORTED = (*sizes.TEXTS, "searched", "attributes", "is_large", "updated_at")
CHANGEABLE = (*IMPORTED, "notes", "platform", "status", "is_contact", "is_subscriber", "unread_messages")
# Bytes of attributes and notes of the contacts of one call: SQLite writes these in some 50 ms.
MOST_BYTES = 8 * 1024 * 1024
# Bytes of the contacts that an import reads. With an emoji in each text they take ten times as much memory.
MOST_READ = 4 * 1024 * 1024
TOO_LARGE = _("a contact has at most 64 KB of attributes, notes and tags")
TOO_MANY_TAGS = _("a contact has at most 50 tags")


@dataclass(frozen=True, slots=True)
class Details:
    """Changes of a contact. None changes nothing; an attribute of None is deleted."""

    name: str | None = None
    email: str | None = None
    phone: Phone | None = None
    country: str | None = None
    telegram_user_name: str | None = None
    instagram_profile_id: str | None = None
    facebook_profile_id: str | None = None
    tags: Sequence[str] | None = None
    attributes: Mapping[str, Any] | None = None

    def apply_to(self, contact: Contact) -> None:
        if self.name is not None:
            contact.name = self.name
        if self.email is not None:
            contact.email = self.email
        if self.phone is not None:
            contact.phone, contact.phone_prefix = self.phone.whole, self.phone.prefix
        for name in ("country", *sizes.PROFILES):
            if getattr(self, name) is not None:
                setattr(contact, name, getattr(self, name))
        contact.searched = contact.searched_text()
        if self.attributes is not None:
            merged = {**contact.attributes, **self.attributes}
            contact.attributes = {key: value for key, value in merged.items() if value is not None}


class TooLarge(Exception):
    """The contacts of a call are too large to be written at once."""

    def __init__(self, most: int) -> None:
        sentence = gettext("These contacts hold more than %(most)d MB together. Send fewer at once.")
        super().__init__(sentence % {"most": most // 1024**2})


class Conflict(Exception):
    """Rows contradict existing contacts. `problems` has a clause by row, counted from 1."""

    def __init__(self, problems: "Mapping[int, str | _StrPromise]") -> None:
        self.problems = {position: str(clause) for position, clause in problems.items()}
        super().__init__("; ".join(self.problems.values()))


class Book:
    """The contacts of an account that an import finds, by email and by number."""

    def __init__(self, owner: int, rows: Collection[Details]) -> None:
        self.owner = owner
        self.created = 0
        self.problems: dict[int, str | _StrPromise] = {}
        self.by_email: dict[str, Contact] = {}
        self.by_phone: dict[str, Contact] = {}
        known: dict[str, Contact] = {}
        emails = [row.email for row in rows if row.email]
        mine = Contact.objects.owned_by(owner)
        self.readings = _readings([row.phone for row in rows if row.phone], mine)
        phones = [whole for number, known in self.readings.items() for whole in (number, *known)]
        refuse_too_large(_size_of(mine.filter(Q(email__in=emails) | Q(phone__in=phones))), MOST_READ)
        owned = mine.prefetch_related("tags")
        for found in (Q(email__in=part) for part in _parts(emails)):
            known |= {contact.pk: contact for contact in owned.filter(found)}
        for found in (Q(phone__in=part) for part in _parts(phones)):
            # A contact in both lists must stay one object.
            known = {contact.pk: contact for contact in owned.filter(found)} | known
        self.tags = {pk: {tag.name for tag in contact.tags.all()} for pk, contact in known.items()}
        self.tags_before = dict(self.tags)
        self.sizes = {pk: sizes.of_growing(contact, self.tags[pk]) for pk, contact in known.items()}
        self.rows = {pk: sizes.of_row(contact, self.tags[pk]) for pk, contact in known.items()}
        self.before = {pk: (contact.email, contact.phone) for pk, contact in known.items()}
        for contact in known.values():
            self._list(contact)

    def write(self, position: int, row: Details, bot: Bot | None) -> Contact:
        with_email = self.by_email.get(row.email or "")
        with_phone = self._with_phone(position, row.phone, with_email) if row.phone else None
        if with_email and with_phone and with_email is not with_phone:
            self.problems[position] = TAKEN_BY_TWO
            # Both stay as they are, so that the same error in a later row is found too.
            return with_email
        contact = with_email or with_phone or self._new(bot)
        self.by_email.pop(contact.email, None)
        self.by_phone.pop(contact.phone, None)
        if row.phone:
            row = replace(row, phone=row.phone.kept_by(contact.phone, contact.phone_prefix))
        if row.phone and row.phone.problem:
            self.problems[position] = row.phone.problem.of(PHONE_FIELD)
            # So that the same number in a later row is found too.
            row = replace(row, phone=None)
        row.apply_to(contact)
        if len(contact.attributes) > MOST_ATTRIBUTES:
            self.problems[position] = TOO_MANY_ATTRIBUTES
        self.tags[contact.pk] = self.tags.get(contact.pk, set()).union(row.tags or ())
        if len(self.tags[contact.pk]) > MOST_TAGS:
            self.problems[position] = TOO_MANY_TAGS
        if _is_grown_too_large(contact, self.tags[contact.pk], lambda: self.sizes.get(contact.pk, 0)):
            self.problems[position] = TOO_LARGE
        if bot:
            contact.bot = bot
        self._list(contact)
        return contact

    def _with_phone(self, position: int, phone: Phone, with_email: Contact | None) -> Contact | None:
        """Return the contact with this number: the one with the email, if several have it in their countries."""
        if found := self.by_phone.get(phone.whole):
            return found
        several = {self.by_phone[whole].pk: self.by_phone[whole] for whole in self._known(phone)}
        if with_email and with_email.pk in several:
            return with_email
        if len(several) > 1:
            self.problems[position] = SEVERAL_WITH_PHONE
        return next(iter(several.values()), None)

    def _known(self, phone: Phone) -> list[str]:
        return [whole for whole in self.readings[phone.whole] if whole in self.by_phone]

    def new_tags(self, contacts: Iterable[str]) -> list[tuple[str, str]]:
        """Return the new tags of these contacts, as ids of contacts and names of tags."""
        return [(pk, name) for pk in contacts for name in sorted(self.tags[pk] - self.tags_before.get(pk, set()))]

    def growth(self, contacts: Iterable[Contact]) -> int:
        """Return the bytes by which these contacts grow."""
        return sum(sizes.of_row(contact, self.tags[contact.pk]) - self.rows.get(contact.pk, 0) for contact in contacts)

    def free_swapped_values(self) -> None:
        """Clear emails and numbers that contacts swap, because the database checks each row alone.

        They are written again at once. Until then the id is the name: a constraint requires one of the three.
        """
        handed_on = [
            pk
            for pk, (email, phone) in self.before.items()
            if pk != self._pk(self.by_email, email, pk) or pk != self._pk(self.by_phone, phone, pk)
        ]
        for part in _parts(handed_on):
            Contact.objects.filter(pk__in=part).update(name=F("id"), email="", phone="")

    @staticmethod
    def _pk(listed: Mapping[str, Contact], value: str, otherwise: str) -> str:
        return listed[value].pk if value in listed else otherwise

    def _new(self, bot: Bot | None) -> Contact:
        self.created += 1
        platform = bot.platform if bot else Platform.WEBSITE
        return Contact(owner_id=self.owner, platform=platform, is_imported=True)

    def _list(self, contact: Contact) -> None:
        if contact.email:
            self.by_email[contact.email] = contact
        if contact.phone:
            self.by_phone[contact.phone] = contact


def _readings(phones: Iterable[Phone], contacts: ContactQuerySet) -> dict[str, list[str]]:
    """Return by each number what it can be if it has no calling code, by those of the rows and of the contacts."""
    phones = set(phones)
    read: dict[str, list[str]] = {phone.whole: [] for phone in phones}
    if numbers := {phone.whole for phone in phones if not phone.prefix and not phone.problem}:
        of_rows = {phone.prefix for phone in phones if phone.prefix and not phone.problem}
        prefixes = [*dict.fromkeys([*contacts.prefixes(), *sorted(of_rows)])][:MOST_PREFIXES]
        for number in numbers:
            read[number] = [phone.whole for phone in readings(number, prefixes)]
    return read


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]


def save(contact: Contact, tags: Sequence[str] | None = None) -> None:
    """Write a contact inside of `changing`, and replace its tags if any are given.

    Raises `Conflict`, `Gone` and `QuotaExceeded`.
    """
    others = Contact.objects.owned_by(contact.owner_id).exclude(pk=contact.pk)
    if not (contact.name or contact.email or contact.phone):
        raise Conflict({1: NOBODY})
    if contact.email and others.filter(email=contact.email).exists():
        raise Conflict({1: EMAIL_TAKEN})
    before, tags_before = _stored(contact.pk)
    if contact.phone != before.phone and _is_taken(Phone(contact.phone, contact.phone_prefix), others):
        raise Conflict({1: PHONE_TAKEN})
    if len(contact.attributes) > MOST_ATTRIBUTES:
        raise Conflict({1: TOO_MANY_ATTRIBUTES})
    names = tags_before if tags is None else tags
    if _is_grown_too_large(contact, names, lambda: sizes.of_growing(before, tags_before)):
        raise Conflict({1: TOO_LARGE})
    growth = sizes.of_row(contact, names) - sizes.of_row(before, tags_before)
    usages.grow(contact.owner_id, contacts=0, size=growth)
    contact.updated_at = timezone.now()
    changes = {name: getattr(contact, name) for name in CHANGEABLE}
    if not Contact.objects.filter(pk=contact.pk).update(**changes):
        raise Gone("The contact was deleted meanwhile.")
    if tags is not None:
        contact.tags.exclude(name__in=tags).delete()
        # Checked here, because the unique constraint includes the number of the import.
        there = set(contact.tags.values_list("name", flat=True))
        ContactTag.objects.bulk_create(ContactTag(contact=contact, name=name) for name in tags if name not in there)


def _is_taken(phone: Phone, others: ContactQuerySet) -> bool:
    """Return whether another contact has this number, in its country if the number has no prefix."""
    return bool(phone.whole) and others.filter(phone__in=[phone.whole, *others.written_as(phone)]).exists()


def _is_grown_too_large(contact: Contact, tags: Collection[str], size_before: Callable[[], int]) -> bool:
    """Set `is_large`, and return whether a too large contact grows. An old one may stay or shrink."""
    contact.is_large = sizes.of_json(contact) > sizes.MOST_BYTES
    return sizes.of_all(contact, tags) > sizes.MOST_BYTES and sizes.of_growing(contact, tags) > size_before()


def _stored(contact_id: str) -> tuple[Contact, list[str]]:
    stored = get_object_or_404(Contact.objects.with_tags(), pk=contact_id)
    return stored, [tag.name for tag in stored.tags.all()]


def set_status(owner: int, ids: Iterable[str], status: str) -> int | None:
    """Set the status of contacts; change none and return None if one is not the owner's.

    Raises `TooLarge`.
    """
    wanted = set(ids)
    found = Contact.objects.owned_by(owner).filter(pk__in=wanted)
    # SQLite rewrites whole rows.
    refuse_too_large(_size_of(found))
    with writes_of(len(wanted)), changing(owner):
        if found.count() != len(wanted):
            return None
        return found.update(status=status, updated_at=timezone.now())


def _size_of(contacts: ContactQuerySet) -> int:
    size: int = contacts.aggregate(size=Sum(F("attributes__octets") + F("notes__octets"), default=0))["size"]
    return size


def refuse_too_large(size: int, most: int | None = None) -> None:
    """Raise `TooLarge` if the bytes of attributes and notes are too many for one call."""
    most = MOST_BYTES if most is None else most
    if size > most:
        raise TooLarge(most)
