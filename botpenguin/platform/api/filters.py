"""Filters of the list of contacts."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from django.db.models import Q
from django.utils.translation import gettext as _
from pydantic import AfterValidator, Field

from botpenguin.platform.api import fields
from botpenguin.platform.api.error_keys import ErrorKey
from botpenguin.platform.api.errors import ApiError
from botpenguin.platform.api.fields import Input, PlatformName, StatusName
from botpenguin.platform.models import Contact, ContactQuerySet, Segment

PAGE_SIZE = 50
# Larger offsets would exceed 2^63.
LAST_PAGE = 10**9
MILLISECOND = timedelta(milliseconds=1)
LATEST = datetime.max.replace(tzinfo=UTC) - MILLISECOND

EXAMPLE: dict[str, Any] = {
    "page": 1,
    "searchText": "asha",
    "status": ["OPEN"],
    "tags": ["customer"],
    "createdAt": {"startAt": "2026-11-01T00:00:00.000Z", "endsAt": ""},
    "applicableFilters": ["isSubscriber"],
    "isSubscriber": True,
}


def _without_empty(texts: list[str]) -> list[str]:
    return [text for text in texts if text]


OF_BOTS = "Of one of these bots, or of one that another key of this kind names."
Few = Field(max_length=100)
Ids = Annotated[list[fields.OptionalId], Few, AfterValidator(_without_empty)] | None
Texts = Annotated[list[fields.AnyText], Few, AfterValidator(_without_empty)] | None


class Period(Input):
    """From one time to another, both included; without an offset they are in UTC."""

    startAt: fields.Time = Field(default=None, description="The first time. Empty: from the beginning.")
    endsAt: fields.Time = Field(default=None, description="The last time. Empty: until now.")

    def of(self, field: str) -> Q:
        found = Q()
        if self.startAt:
            found &= Q(**{f"{field}__gte": self.startAt})
        if self.endsAt:
            # Clients send milliseconds, and include the whole last one.
            found &= Q(**{f"{field}__lt": min(self.endsAt, LATEST) + MILLISECOND})
        return found


class ContactFilter(Input):
    """Every key is optional, and what is empty filters nothing. Keys that are not listed here are ignored."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    page: Annotated[int | None, fields.WholeNumber(least=1)] = Field(
        default=1, description=f"From 1; a page holds {PAGE_SIZE}. Past the end it is empty."
    )
    after: fields.OptionalId | None = Field(
        default=None,
        description="The `_id` of a contact: pages are counted from the next older one. With the last `_id` that you "
        "have and no `page`, no contact comes twice and none is left out, whatever is added meanwhile.",
        examples=[""],
    )
    searchText: str | None = Field(
        default=None,
        description="A part of a name, an email, a number (however it is written) or a profile's name or id.",
        examples=["asha"],
    )
    status: Annotated[list[StatusName], Few] | None = Field(default=None, description="With one of these statuses.")
    tags: Texts = Field(default=None, description="At least one of these tags.")
    segments: Ids = Field(default=None, description="In at least one of these segments.")
    platform: Annotated[list[PlatformName], Few] | None = Field(
        default=None, description="Reached on one of these platforms."
    )
    bot_whatsapp: Ids = Field(default=None, alias="_botWhatsapp", description=OF_BOTS)
    bot_instagram: Ids = Field(default=None, alias="_botInstagram", description=OF_BOTS)
    bot_facebook: Ids = Field(default=None, alias="_botFacebook", description=OF_BOTS)
    bot_telegram: Ids = Field(default=None, alias="_botTelegram", description=OF_BOTS)
    bot_website: Ids = Field(default=None, alias="_botWebsite", description=OF_BOTS)
    bot_sms: Ids = Field(default=None, alias="_botSms", description=OF_BOTS)
    lastMessageBy: Texts = Field(default=None, description="Whose last message is by one of these.")
    createdAt: Period | None = Field(default=None, description="Created in this period.")
    lastSeenAt: Period | None = Field(default=None, description="Last seen in this period.")
    applicableFilters: Texts = Field(
        default=None,
        description="Which of isOnline, isContact, isImported and isSubscriber are to filter.",
        examples=[["isSubscriber"]],
    )
    isOnline: bool | None = Field(default=None, description="Online now. On this server, no contact is.")
    isContact: bool | None = Field(default=None, description="Whether it is marked as a contact.")
    isImported: bool | None = Field(default=None, description="Whether it came by an import.")
    isSubscriber: bool | None = Field(default=None, description="Whether it has subscribed.")

    def of(self, owner: int) -> ContactQuerySet:
        contacts = Contact.objects.owned_by(owner)
        if self.searchText and self.searchText.strip():
            contacts = contacts.mentioning(self.searchText)
        if self.tags:
            contacts = contacts.tagged(self.tags)
        if self.segments:
            names = Segment.objects.owned_by(owner).filter(pk__in=self.segments).values_list("tags", flat=True)
            contacts = contacts.tagged({name for tags in names for name in tags})
        bots = [
            bot
            for ids in (
                *(self.bot_whatsapp, self.bot_instagram, self.bot_facebook),
                *(self.bot_telegram, self.bot_website, self.bot_sms),
            )
            for bot in ids or ()
        ]
        lists = {"status": self.status, "platform": self.platform, "last_message_by": self.lastMessageBy, "bot": bots}
        if bots:
            contacts = contacts.filter(bot__is_deleted=False)
        for name, values in lists.items():
            if values:
                contacts = contacts.filter(**{f"{name}__in": values})
        contacts = contacts.filter(
            (self.createdAt or Period()).of("created_at"), (self.lastSeenAt or Period()).of("last_seen_at")
        )
        return self._applicable(contacts)

    def _applicable(self, contacts: ContactQuerySet) -> ContactQuerySet:
        named = set(self.applicableFilters or ())
        flags = {"isContact": self.isContact, "isImported": self.isImported, "isSubscriber": self.isSubscriber}
        columns = {"isContact": "is_contact", "isImported": "is_imported", "isSubscriber": "is_subscriber"}
        for name, flag in flags.items():
            if name in named and flag is not None:
                contacts = contacts.filter(**{columns[name]: flag})
        # No contact is ever online here.
        return contacts.none() if "isOnline" in named and self.isOnline else contacts

    def page_of(self, owner: int) -> list[Contact]:
        page = self.page or 1
        if page > LAST_PAGE:
            return []
        contacts = self.of(owner)
        if self.after:
            contacts = contacts.older_than(self._last_seen(owner))
        start = (page - 1) * PAGE_SIZE
        # Ids first: the index counts the rows before the page, without reading them.
        ids = list(contacts.newest_first().values_list("pk", flat=True)[start : start + PAGE_SIZE])
        return Contact.objects.owned_by(owner).listed(ids)

    def _last_seen(self, owner: int) -> Contact:
        contact: Contact | None = Contact.objects.owned_by(owner).filter(pk=self.after).first()
        if contact is None:
            sentence = _("There is no contact with the id in `after` in your account.")
            raise ApiError(ErrorKey.CONTACT_NOT_FOUND, sentence)
        return contact
