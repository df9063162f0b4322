"""A contact on the wire: how it is serialized, and how it is read back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails

from botpenguin.platform import sizes
from botpenguin.platform.api import fields
from botpenguin.platform.api.envelope import Timestamp
from botpenguin.platform.api.fields import Input, PlatformName, StatusName
from botpenguin.platform.api.listing import MOST_SEGMENTS
from botpenguin.platform.contacts import MOST_TAGS, Details, Phone
from botpenguin.platform.models import Contact, Segment

# Of a row that is wrong all over, so much is reported.
MOST_ERRORS = 5
MOST_KB = sizes.MOST_BYTES // 1024
SHORTENED = (
    f"This contact is larger than {MOST_KB} KB, so this list holds only its first attributes and notes. "
    "Read it whole with GET /api/v7/inbox/users/{}."
)


class PhoneOut(BaseModel):
    number: str = Field(examples=["9876543210"])
    prefix: str = Field(examples=["91"])


class ReachOut(BaseModel):
    email: str = Field(examples=["asha@example.com"])
    phone: PhoneOut


class AttributeOut(BaseModel):
    key: str = Field(examples=["plan"])
    value: str | int | float | bool = Field(examples=["gold"])


class UserDetailsOut(BaseModel):
    name: str = Field(examples=["Asha Rao"])
    userProvidedName: str = Field(examples=["Asha Rao"])
    contact: ReachOut
    tags: list[str] = Field(examples=[["customer"]])
    attributes: list[AttributeOut]
    country: str = Field(examples=["India"])
    whatsAppNumber: str = Field(examples=["919876543210"])


class ProfileOut(BaseModel):
    userDetails: UserDetailsOut
    notes: list[str]


class LastMessageOut(BaseModel):
    by: str
    at: Timestamp | None


class ContactOut(BaseModel):
    id: fields.IdOut
    customer: str = Field(serialization_alias="_customer", examples=["000000000000000000000007"])
    platform: list[fields.PlatformOut]
    status: fields.StatusOut
    profile: ProfileOut
    lastMessage: LastMessageOut
    isOnline: bool
    isContact: bool
    isImported: bool
    isSubscriber: bool
    segments: list[str] = Field(
        description=f"Of the account's first {MOST_SEGMENTS} segments, by name.", examples=[[fields.ID_EXAMPLE]]
    )
    unreadMessages: int
    lastSeenAt: Timestamp | None
    createdAt: Timestamp
    updatedAt: Timestamp
    shortened: str | None = Field(
        default=None,
        exclude_if=lambda sentence: sentence is None,
        description=f"Only in lists, of a contact that was larger than {MOST_KB} KB before there was a bound: they "
        "hold its first attributes and notes. This says how to read the whole.",
    )


def serialize(contacts: Iterable[Contact], owner: int) -> list[ContactOut]:
    """Tell of an owner's contacts, whose tags have been prefetched, in one query for the segments of all."""
    segments = list(Segment.objects.owned_by(owner).only("tags")[:MOST_SEGMENTS])
    return [_serialize(contact, segments) for contact in contacts]


def _serialize(contact: Contact, segments: Sequence[Segment]) -> ContactOut:
    tags = sorted(tag.name for tag in contact.tags.all())
    return ContactOut(
        id=contact.pk,
        # An account has a number here; clients expect an id like all others.
        customer=f"{contact.owner_id:024x}",
        platform=[contact.platform],
        status=contact.status,
        profile=ProfileOut(
            userDetails=UserDetailsOut(
                name=contact.name,
                userProvidedName=contact.name,
                contact=ReachOut(
                    email=contact.email,
                    phone=PhoneOut(number=contact.national_number, prefix=contact.phone_prefix),
                ),
                tags=tags,
                attributes=[AttributeOut(key=key, value=value) for key, value in sorted(contact.attributes.items())],
                country=contact.country,
                whatsAppNumber=contact.phone,
            ),
            notes=contact.notes,
        ),
        lastMessage=LastMessageOut(by=contact.last_message_by, at=contact.last_message_at),
        isOnline=False,
        isContact=contact.is_contact,
        isImported=contact.is_imported,
        isSubscriber=contact.is_subscriber,
        segments=[segment.pk for segment in segments if segment.holds(tags)],
        unreadMessages=contact.unread_messages,
        lastSeenAt=contact.last_seen_at,
        createdAt=contact.created_at,
        updatedAt=contact.updated_at,
        shortened=SHORTENED.format(contact.pk) if contact.is_shortened else None,
    )


class PhoneIn(Input):
    """Without a number the one that is there keeps its digits, and only its prefix changes."""

    number: fields.Number | None = None
    prefix: fields.Prefix | None = None

    def phone(self, contact: Contact) -> Phone | None:
        if self.number is None and self.prefix is None:
            return None
        number = contact.national_number if self.number is None else self.number
        return Phone.of(number, self.prefix or "")


class ReachIn(Input):
    email: fields.Email | None = None
    phone: PhoneIn | None = None


class UserDetailsIn(Input):
    name: fields.Name | None = None
    userProvidedName: fields.Name | None = None
    contact: ReachIn | None = None
    tags: Annotated[list[fields.Tag], Field(max_length=MOST_TAGS)] | None = None
    attributes: fields.Attributes | None = None
    country: fields.Country | None = None

    def details(self, contact: Contact) -> Details:
        """What is new about a contact. Of the two names, the one that differs from what is there is meant."""
        names = [name for name in (self.userProvidedName, self.name) if name is not None]
        reach = self.contact or ReachIn()
        return Details(
            name=next((name for name in names if name != contact.name), None),
            email=None if reach.email is None else reach.email.lower(),
            phone=reach.phone.phone(contact) if reach.phone else None,
            country=self.country,
            tags=None if self.tags is None else list(dict.fromkeys(self.tags)),
            attributes=self.attributes,
        )


class ProfileIn(Input):
    userDetails: UserDetailsIn | None = None
    notes: Annotated[list[fields.Note], Field(max_length=fields.MOST_NOTES)] | None = None


# By these a body is told to be a contact.
KEYS = frozenset(
    {"attributes", *(field.serialization_alias or name for name, field in ContactOut.model_fields.items())}
) - {"shortened"}
ONE_OF_ITS_KEYS: list[JsonValue] = [{"required": [key]} for key in sorted(KEYS)]


class ContactIn(Input):
    """A contact as it was read and then changed, or only what changes. A map without any of its keys is attributes."""

    model_config = {
        "json_schema_extra": {"anyOf": [*ONE_OF_ITS_KEYS, fields.FLAT_SCHEMA]},
    }

    shortened: fields.AnyText | None = Field(
        default=None, description="As it was read: then attributes are merged, and notes stay as they are."
    )
    platform: Annotated[list[PlatformName], Field(min_length=1, max_length=1)] | None = None
    status: StatusName | None = None
    profile: ProfileIn | None = None
    attributes: fields.Attributes | None = None
    isContact: bool | None = None
    isSubscriber: bool | None = None
    unreadMessages: Annotated[int, Field(ge=0, lt=2**31)] | None = None

    @model_validator(mode="before")
    @classmethod
    def of_attributes(cls, body: Any) -> Any:
        return {"attributes": body} if isinstance(body, Mapping) and KEYS.isdisjoint(body) else body

    def write_to(self, contact: Contact) -> list[str] | None:
        """Change the contact, and return its tags, where they are given."""
        profile = self.profile or ProfileIn()
        details = (profile.userDetails or UserDetailsIn()).details(contact)
        if details.attributes is not None and not self.shortened:
            # The whole list was given: what is missing from it is gone.
            contact.attributes = {}
        details.apply_to(contact)
        Details(attributes=self.attributes).apply_to(contact)
        changes: dict[str, Any] = {
            "platform": self.platform[0] if self.platform else None,
            "status": self.status,
            "notes": None if self.shortened else profile.notes,
            "is_contact": self.isContact,
            "is_subscriber": self.isSubscriber,
            "unread_messages": self.unreadMessages,
        }
        for name, value in changes.items():
            if value is not None:
                setattr(contact, name, value)
        return None if details.tags is None else list(details.tags)


# The same in JSON Schema as `is_somebody` says in Python.
SOMEBODY: dict[str, Any] = {
    "anyOf": [
        {"required": [name], "properties": {name: {"type": "string", "pattern": r"[^\s\x00-\x1f]"}}}
        for name in ("userProvidedName", "name")
    ]
    + [
        {
            "required": ["contact"],
            "properties": {
                "contact": {
                    "type": "object",
                    "anyOf": [
                        {"required": ["email"], "properties": {"email": {"type": "string", "minLength": 1}}},
                        {
                            "required": ["phone"],
                            "properties": {
                                "phone": {
                                    "type": "object",
                                    "required": ["number"],
                                    "properties": {"number": {"type": ["string", "integer"], "minLength": 1}},
                                }
                            },
                        },
                    ],
                }
            },
        }
    ]
}


class NewUserDetailsIn(UserDetailsIn):
    model_config = {"json_schema_extra": SOMEBODY}

    @model_validator(mode="after")
    def is_somebody(self) -> Self:
        email = self.contact and self.contact.email
        number = self.contact and self.contact.phone and self.contact.phone.number
        if not (self.userProvidedName or self.name or email or number):
            raise fields.wrong("should have a userProvidedName, a contact.email or a contact.phone.number")
        return self


class NewProfileIn(Input):
    userDetails: NewUserDetailsIn


class RowIn(Input):
    """A row of an import: a name, an e-mail or a number, and what else is known."""

    profile: NewProfileIn

    def details(self) -> Details:
        """What the row tells. An import takes nothing away: an empty text is a column that was left empty."""
        details = self.profile.userDetails.details(Contact())
        phone = details.phone if details.phone and details.phone.whole else None
        return replace(details, email=details.email or None, phone=phone, country=details.country or None)


@dataclass(frozen=True)
class RowErrors:
    """What is wrong with a row: the first faults, and how many more there are. It stands in the row's place, so that
    all rows are looked at.
    """

    errors: list[ErrorDetails]
    more: int


def _row_or_errors(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    try:
        return validate(value)
    except ValidationError as error:
        # Of 1,000 rows with 150 each, all of them would take 87 MiB.
        found = error.errors(include_url=False, include_input=False)
        return RowErrors(found[:MOST_ERRORS], max(len(found) - MOST_ERRORS, 0))


Row = Annotated[RowIn, WrapValidator(_row_or_errors)]
