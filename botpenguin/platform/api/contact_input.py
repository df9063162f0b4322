"""Contacts in the bodies of requests."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import (
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails

from botpenguin.platform.api import field_errors, fields
from botpenguin.platform.api.contact_output import ContactOut
from botpenguin.platform.api.error_keys import ErrorKey
from botpenguin.platform.api.errors import RequestFailed
from botpenguin.platform.api.fields import PlatformName, StatusName
from botpenguin.platform.api.ignored_keys import KeepingInput
from botpenguin.platform.api.phone_fields import Number, Prefix
from botpenguin.platform.contacts import MOST_TAGS, PHONE_FIELD, Details
from botpenguin.platform.models import Contact
from botpenguin.platform.phones import Phone
from botpenguin.platform.sizes import PROFILES

# At most so many errors of a row are reported.
MOST_ERRORS = 5


class PhoneIn(KeepingInput):
    """Without `number` only the prefix of the stored number changes. Without `prefix` the stored one stays."""

    number: Number | None = None
    prefix: Prefix | None = None

    def phone(self, contact: Contact) -> Phone | None:
        if self.number is None and self.prefix is None:
            return None
        number = contact.national_number if self.number is None else self.number
        if (number, self.prefix or "") == (contact.national_number, contact.phone_prefix):
            # Written back as it was read.
            return Phone(contact.phone, contact.phone_prefix)
        phone = Phone.of(number, self.prefix or "")
        return phone if self.prefix == "" else phone.kept_by(contact.phone, contact.phone_prefix)


class ReachIn(KeepingInput):
    email: fields.Email | None = Field(
        default=None, description="The domain may also be in Unicode. Answers have it in ASCII (IDNA 2008)."
    )
    phone: PhoneIn | None = None


class UserDetailsIn(KeepingInput):
    name: fields.Name | None = None
    userProvidedName: fields.Name | None = None
    contact: ReachIn | None = None
    tags: Annotated[list[fields.Tag], Field(max_length=MOST_TAGS)] | None = None
    attributes: fields.Attributes | None = None
    country: fields.Country | None = None
    telegramUserName: fields.ProfileId | None = None
    instagramProfileId: fields.ProfileId | None = None
    facebookProfileId: fields.ProfileId | None = None

    def details(self, contact: Contact) -> Details:
        """Return the changes of a contact. Of the two names, the one that differs from the stored name counts."""
        names = [name for name in (self.userProvidedName, self.name) if name is not None]
        reach = self.contact or ReachIn()
        return Details(
            name=next((name for name in names if name != contact.name), None),
            email=None if reach.email is None else reach.email.lower(),
            phone=reach.phone.phone(contact) if reach.phone else None,
            country=self.country,
            telegram_user_name=self.telegramUserName,
            instagram_profile_id=self.instagramProfileId,
            facebook_profile_id=self.facebookProfileId,
            tags=None if self.tags is None else list(dict.fromkeys(self.tags)),
            attributes=self.attributes,
        )


class ProfileIn(KeepingInput):
    userDetails: UserDetailsIn | None = None
    notes: Annotated[list[fields.Note], Field(max_length=fields.MOST_NOTES)] | None = None


# A body with one of these keys is a contact.
KEYS = frozenset(
    {"attributes", *(field.serialization_alias or name for name, field in ContactOut.model_fields.items())}
) - {"shortened"}


class ContactIn(KeepingInput):
    """A contact as it was read and then changed, or only what changes."""

    shortened: fields.AnyText | None = Field(
        default=None, description="As it was read: then attributes are merged, and notes stay as they are."
    )
    platform: Annotated[list[PlatformName], Field(min_length=1, max_length=1)] | None = None
    status: StatusName | None = None
    profile: ProfileIn | None = None
    attributes: fields.Attributes | None = None
    isContact: bool | None = None
    isSubscriber: bool | None = None
    unreadMessages: Annotated[int | None, fields.WholeNumber(least=0, most=2**31 - 1)] = None

    @model_validator(mode="before")
    @classmethod
    def of_attributes(cls, body: Any) -> Any:
        return {"attributes": body} if isinstance(body, Mapping) and KEYS.isdisjoint(body) else body

    def write_to(self, contact: Contact) -> list[str] | None:
        """Change the contact, and return its tags, where they are given."""
        profile = self.profile or ProfileIn()
        details = (profile.userDetails or UserDetailsIn()).details(contact)
        if details.phone and details.phone.problem:
            raise RequestFailed(
                ErrorKey.PHONE_INVALID,
                _("Nothing was changed."),
                [field_errors.ended(details.phone.problem.of(PHONE_FIELD))],
            )
        if details.attributes is not None and not self.shortened:
            # The list is complete: missing attributes are deleted.
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


# Translators: userProvidedName, contact.email and contact.phone.number are names of fields.
NOBODY = gettext_lazy("%(field)s should have a userProvidedName, a contact.email or a contact.phone.number")


class NewUserDetailsIn(UserDetailsIn):
    """A name, an email or a number is required."""

    @model_validator(mode="after")
    def is_somebody(self) -> Self:
        email = self.contact and self.contact.email
        number = self.contact and self.contact.phone and self.contact.phone.number
        if not (self.userProvidedName or self.name or email or number):
            raise fields.wrong(NOBODY)
        return self


class NewProfileIn(KeepingInput):
    userDetails: NewUserDetailsIn


class RowIn(KeepingInput):
    """A row of an import: a name, an email or a number, and what else is known."""

    profile: NewProfileIn

    def details(self) -> Details:
        """Return the changes of a row. Imports delete nothing: an empty text changes nothing."""
        details = self.profile.userDetails.details(Contact())
        phone = details.phone if details.phone and details.phone.whole else None
        texts = {name: getattr(details, name) or None for name in ("email", "country", *PROFILES)}
        return replace(details, phone=phone, **texts)


@dataclass(frozen=True)
class RowErrors:
    """The first errors of a row, and the number of others. Stands for the row, so that all rows are validated."""

    errors: list[ErrorDetails]
    more: int


def _row_or_errors(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    try:
        return validate(value)
    except ValidationError as error:
        # 1,000 rows with 150 errors each would take 87 MiB.
        found = error.errors(include_url=False, include_input=False)
        return RowErrors(found[:MOST_ERRORS], max(len(found) - MOST_ERRORS, 0))


Row = Annotated[RowIn, WrapValidator(_row_or_errors)]
