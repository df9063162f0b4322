"""Contacts, their tags, and their number for each account."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q, Value
from django.db.models.functions import Concat, Lower
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from accounts.email_addresses import shown, spellings
from accounts.orm.object_ids import ID_LENGTH, OBJECT_ID, OwnedQuerySet, object_id
from accounts.orm.searched import SearchedField, joined
from accounts.text import keep, normalize, searchable
from botpenguin.platform import sizes
from botpenguin.platform.models.bots import Bot, Platform
from botpenguin.platform.pending import PendingImport
from botpenguin.platform.phones import FEWEST_OF_A_WHOLE, NUMBER, Phone, clean, digits, readings

# No database stores these as text: NUL, and half a surrogate pair.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# In characters. SQLite refuses patterns of over 50,000 bytes.
LONGEST_SEARCH = 200
# Numbers without a calling code are compared in so many countries: 1,000 in five take 0.6 s.
MOST_PREFIXES = 5
# The columns of a contact that can be long.
LARGE_COLUMNS = ("attributes", "notes")

models.JSONField.register_lookup(sizes.Octets)


class ContactQuerySet(OwnedQuerySet):
    def with_tags(self) -> Self:
        """Fetch the tags of all in one query, in alphabetical order."""
        return self.prefetch_related(models.Prefetch("tags", ContactTag.objects.order_by("name")))

    def mentioning(self, text: str) -> Self:
        """Contacts with the text in name, email, number or profiles, in any case and spelling; all for an unseen text.

        Only texts without letters are searched in numbers: "anna7@example.com" does not find all numbers with a 7.
        """
        text = text.strip()[:LONGEST_SEARCH]
        if UNSTORABLE.search(text):
            return self.none()
        part = searchable(text)
        found = Q(searched__contains=part)
        if NUMBER.fullmatch(number := clean(text)):
            found |= self._holding(number)
        return self.filter(found)

    def _holding(self, number: str) -> Q:
        """Numbers with this part, or the whole number however it is written."""
        # National numbers start with a zero that is not stored: 020 7946 0991, +44 (0)20 7946 0991.
        part = digits(number.replace("(0)", "")).lstrip("0") or "0"
        if len(part) < FEWEST_OF_A_WHOLE:
            return Q(phone__contains=part)
        return Q(phone__contains=part) | Q(phone__in=self.written_as(Phone.of(number, "")))

    def identified_by(self, text: str) -> Self:
        """Contacts with this id, email or number: at most one, unless the number has no calling code."""
        text = text.strip()
        if OBJECT_ID.fullmatch(normalize(text)):
            return self.with_id(text)
        if NUMBER.fullmatch(number := clean(text)):
            return self._numbered(number)
        return self.none() if UNSTORABLE.search(text) or not text else self.filter(email__in=spellings(text))

    def _numbered(self, number: str) -> Self:
        phone = Phone.of(number, "")
        for whole in (phone.whole, digits(number)):
            if (found := self.filter(phone=whole)).exists():
                return found
        if (found := self.filter(phone__in=self.written_as(phone))).exists():
            return found
        # Numbers of before that could not be read.
        return self.filter(phone=Concat("phone_prefix", Value(digits(number))))

    def written_as(self, phone: Phone) -> list[str]:
        """Return the numbers that a number without a calling code can be, by the calling codes of these contacts."""
        known = phone.prefix or phone.problem
        return [phone.whole] if known else [each.whole for each in readings(phone.whole, self.prefixes())]

    def prefixes(self) -> list[str]:
        """Return the most frequent calling codes."""
        known = self.order_by().exclude(phone_prefix="").values("phone_prefix").annotate(count=Count("pk"))
        return [row["phone_prefix"] for row in known.order_by("-count", "phone_prefix")[:MOST_PREFIXES]]

    def listed(self, ids: Sequence[str]) -> "list[Contact]":
        """Fetch contacts in the order of these ids, with their tags; large ones shortened."""
        contacts = self.filter(pk__in=ids).prefetch_related("tags")
        found = {contact.pk: contact for contact in contacts.filter(is_large=False)}
        if len(found) < len(ids):
            begun = {f"begun_{column}": sizes.beginning(column) for column in LARGE_COLUMNS}
            for contact in contacts.filter(is_large=True).defer(*LARGE_COLUMNS).annotate(**begun):
                contact.shorten(*(getattr(contact, name) for name in begun))
                found[contact.pk] = contact
        return [found[pk] for pk in ids if pk in found]

    def tagged(self, names: Collection[str]) -> Self:
        """Contacts with at least one of the tags."""
        # Tags of before may have their letters and accents apart.
        forms = {*map(keep, names), *(unicodedata.normalize("NFD", name) for name in names)}
        return self.filter(pk__in=ContactTag.objects.filter(name__in=forms).values("contact"))


class Contact(models.Model):
    """A person who talks to an account's bots."""

    class Status(models.TextChoices):
        OPEN = "OPEN", pgettext_lazy("status of a conversation", "Open")
        INPROGRESS = "INPROGRESS", pgettext_lazy("status of a conversation", "In progress")
        REVIEW = "REVIEW", pgettext_lazy("status of a conversation", "Review")
        ONHOLD = "ONHOLD", pgettext_lazy("status of a conversation", "On hold")
        DEPENDANCY = "DEPENDANCY", pgettext_lazy("status of a conversation", "Dependency")
        CLOSED = "CLOSED", pgettext_lazy("status of a conversation", "Closed")
        DELETED = "DELETED", pgettext_lazy("status of a conversation", "Deleted")

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=object_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="contacts")
    bot = models.ForeignKey(Bot, on_delete=models.SET_NULL, null=True, related_name="contacts")
    platform = models.CharField(max_length=10, choices=Platform, default=Platform.WEBSITE)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    name = models.CharField(max_length=200, blank=True)
    # In lower case, so that one person is not two contacts.
    email = models.EmailField(blank=True)
    # Digits only: the prefix of the country, then the number.
    phone = models.CharField(max_length=20, blank=True)
    phone_prefix = models.CharField(max_length=5, blank=True)
    country = models.CharField(max_length=60, blank=True)
    # The person's names and ids elsewhere, as clients know them.
    telegram_user_name = models.CharField(max_length=100, blank=True, default="", db_default="")
    instagram_profile_id = models.CharField(max_length=100, blank=True, default="", db_default="")
    facebook_profile_id = models.CharField(max_length=100, blank=True, default="", db_default="")
    attributes = models.JSONField(default=dict, encoder=sizes.Utf8Encoder)
    notes = models.JSONField(default=list, encoder=sizes.Utf8Encoder)
    searched = SearchedField()
    # From before the size was limited. It must not grow.
    is_large = models.BooleanField(default=False, db_default=False, editable=False)
    is_contact = models.BooleanField(default=True)
    is_imported = models.BooleanField(default=False)
    is_subscriber = models.BooleanField(default=False)
    unread_messages = models.PositiveIntegerField(default=0)
    last_message_by = models.CharField(max_length=10, blank=True)
    last_message_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    # Whether attributes and notes are incomplete, as in lists.
    is_shortened = False

    objects = ContactQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(F("owner"), F("created_at").desc(), F("id").desc(), name="platform_contact_newest")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "email"], condition=~Q(email=""), name="platform_contact_email_once_an_owner"
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="platform_contact_email_is_in_lower_case"),
            models.UniqueConstraint(
                fields=["owner", "phone"], condition=~Q(phone=""), name="platform_contact_phone_once_an_owner"
            ),
            models.CheckConstraint(
                condition=~Q(name="", email="", phone=""), name="platform_contact_has_name_email_or_phone"
            ),
            models.CheckConstraint(
                condition=Q(platform__in=Platform.values), name="platform_contact_platform_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["OPEN", "INPROGRESS", "REVIEW", "ONHOLD", "DEPENDANCY", "CLOSED", "DELETED"]),
                name="platform_contact_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(is_large=True) | Q(attributes__octets__lte=sizes.MOST_BYTES - F("notes__octets")),
                name="platform_contact_is_not_too_large",
            ),
        ]

    def __str__(self) -> str:
        return self.name or shown(self.email) or self.number

    def searched_text(self) -> str:
        return joined((self.name, self.email, shown(self.email), *(getattr(self, name) for name in sizes.PROFILES)))

    def shorten(self, attributes: str, notes: str) -> None:
        """Set attributes and notes from the beginnings of their JSON."""
        self.attributes, self.notes = sizes.read_beginning(attributes), sizes.read_beginning(notes)
        self.is_shortened = True

    @property
    def national_number(self) -> str:
        """The digits of the number without the prefix of its country."""
        return self.phone.removeprefix(self.phone_prefix)

    @property
    def number(self) -> str:
        """The number as people read it, "+44 7700900123". Without a known prefix it has no plus."""
        is_international = self.phone_prefix and self.phone.startswith(self.phone_prefix)
        return f"+{self.phone_prefix} {self.national_number}" if is_international else self.phone


class ContactUsage(models.Model):
    """How many contacts an account has and how many bytes they take. `usages` writes these rows."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="contact_usage"
    )
    contacts = models.BigIntegerField()
    size = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.contacts} contacts in {self.size} bytes"


class VisibleTags(models.Manager["ContactTag"]):
    def get_queryset(self) -> models.QuerySet["ContactTag"]:
        """Exclude tags of imports in progress."""
        return super().get_queryset().exclude(models.Exists(PendingImport.objects.filter(pk=models.OuterRef("batch"))))

    def names(self, contacts: Collection[str]) -> dict[str, list[str]]:
        """Return the tags of contacts by the ids of these, in alphabetical order."""
        found: dict[str, list[str]] = {}
        tags = self.filter(contact__in=contacts).order_by("name")
        for contact, name in tags.values_list("contact_id", "name"):
            found.setdefault(contact, []).append(name)
        return found


class ContactTag(models.Model):
    # Without a constraint, because an import writes tags before contacts. The unique index begins with it.
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="tags", db_constraint=False, db_index=False
    )
    name = models.CharField(max_length=60)
    # The number of a large import, else 0.
    batch = models.BigIntegerField(default=0)

    objects = VisibleTags()
    every: ClassVar = models.Manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["contact", "name", "batch"], name="platform_contacttag_once_a_contact")
        ]
        indexes: ClassVar = [models.Index(fields=["name", "contact"], name="platform_contacttag_name")]

    def __str__(self) -> str:
        return self.name
