"""Contacts in answers."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_lazy
from pydantic import BaseModel, Field

from botpenguin.platform import sizes
from botpenguin.platform.api import fields
from botpenguin.platform.api.envelope import Timestamp
from botpenguin.platform.api.listing import MOST_SEGMENTS
from botpenguin.platform.contacts import MOST_ATTRIBUTES, MOST_TAGS
from botpenguin.platform.models import Contact, Segment

MOST_KB = sizes.MOST_BYTES // 1024
SHORTENED = gettext_lazy(
    "This contact is larger than 64 KB, so this list holds only its first attributes and notes. "
    "Read it whole with GET %(path)s."
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
    tags: list[str] = Field(examples=[["customer"]], json_schema_extra={"maxItems": MOST_TAGS})
    attributes: list[AttributeOut] = Field(json_schema_extra={"maxItems": MOST_ATTRIBUTES})
    country: str = Field(examples=["India"])
    whatsAppNumber: str = Field(examples=["919876543210"])
    telegramUserName: str = Field(examples=["asha_rao"])
    instagramProfileId: str = Field(examples=["17841400000000001"])
    facebookProfileId: str = Field(examples=["100000000000001"])


class ProfileOut(BaseModel):
    userDetails: UserDetailsOut
    notes: list[str] = Field(json_schema_extra={"maxItems": fields.MOST_NOTES})


class LastMessageOut(BaseModel):
    by: str
    at: Timestamp | None


class ContactOut(BaseModel):
    id: fields.IdOut
    customer: str = Field(serialization_alias="_customer", examples=["000000000000000000000007"])
    # Of contacts that are sent too. Older contacts may have more: only the document names the limits.
    platform: list[fields.PlatformOut] = Field(json_schema_extra={"minItems": 1, "maxItems": 1})
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
    """Serialize an owner's contacts, whose tags are prefetched, with one query for all segments."""
    segments = list(Segment.objects.owned_by(owner).only("tags")[:MOST_SEGMENTS])
    return [_serialize(contact, segments) for contact in contacts]


def _serialize(contact: Contact, segments: Sequence[Segment]) -> ContactOut:
    tags = sorted(tag.name for tag in contact.tags.all())
    return ContactOut(
        id=contact.pk,
        # The id of an account is a number, but clients expect 24 hexadecimal digits.
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
                telegramUserName=contact.telegram_user_name,
                instagramProfileId=contact.instagram_profile_id,
                facebookProfileId=contact.facebook_profile_id,
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
        shortened=SHORTENED % {"path": f"/api/v7/inbox/users/{contact.pk}"} if contact.is_shortened else None,
    )
