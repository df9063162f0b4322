"""The resource `inbox`: an account's contacts and segments."""

from http import HTTPStatus
from typing import Annotated, Self

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _
from ninja import Body, P, PathEx, Router
from ninja.params import functions
from pydantic import BaseModel, Field

from accounts.orm.owners import changing
from botpenguin.platform import contacts, imports
from botpenguin.platform.api import bots, errors, field_errors, fields, ignored_keys
from botpenguin.platform.api.authentication import BearerRequest
from botpenguin.platform.api.bulk_calls import bulk_calls
from botpenguin.platform.api.contact_input import ContactIn, Row, RowErrors
from botpenguin.platform.api.contact_output import ContactOut, serialize
from botpenguin.platform.api.envelope import Created, Envelope, Timestamp
from botpenguin.platform.api.error_keys import ErrorKey
from botpenguin.platform.api.errors import ApiError
from botpenguin.platform.api.fields import Input, StatusName
from botpenguin.platform.api.filters import ContactFilter
from botpenguin.platform.api.listing import MOST_SEGMENTS, Page, owned, page_of
from botpenguin.platform.contacts import Conflict, Details, TooLarge
from botpenguin.platform.models import Contact, Segment

router = Router(tags=["inbox"], by_alias=True)

MOST_ROWS = 1000
BOT_IN_QUERY = functions.Query("", alias="botId", description="The bot that the contacts belong to.")
# A published client sends it a second time as a header. Generators would need two names for it.
BOT_IN_HEADER = functions.Header("", alias="botId", include_in_schema=False)
Rows = Annotated[list[Row], Field(min_length=1, max_length=MOST_ROWS)]
SEGMENTS_PAGE = page_of(MOST_SEGMENTS)
EVERYBODY = ContactFilter()
ContactId = PathEx[fields.PathId, P(description="The contact's `_id`.")]


class SegmentOut(BaseModel):
    id: fields.IdOut
    segmentName: str = Field(examples=["Customers"])
    tags: list[str] = Field(examples=[["customer"]])
    createdAt: Timestamp
    updatedAt: Timestamp

    @classmethod
    def of(cls, segment: Segment) -> Self:
        return cls(
            id=segment.pk,
            segmentName=segment.name,
            tags=segment.tags,
            createdAt=segment.created_at,
            updatedAt=segment.updated_at,
        )


class ImportedOut(BaseModel):
    ids: list[str] = Field(description="The contacts' ids, in the order of the rows.", examples=[[fields.ID_EXAMPLE]])
    created: int = Field(examples=[1])
    updated: int = Field(examples=[0])


class StatusUpdate(Input):
    ids: Annotated[list[fields.ObjectId], Field(min_length=1, max_length=MOST_ROWS)]
    status: StatusName


class StatusUpdated(BaseModel):
    updated: int = Field(examples=[1])


@router.get(
    "/inbox/segments", summary="List segments", operation_id="list_segments", response=Envelope[list[SegmentOut]]
)
def list_segments(request: BearerRequest, page: Page = SEGMENTS_PAGE) -> Envelope[list[SegmentOut]]:
    """Named filters, made on the Inbox page: a segment holds the contacts with at least one of its tags."""
    return owned(Segment.objects.owned_by, request.auth.owner_id, page, MOST_SEGMENTS, SegmentOut.of)


@router.post("/inbox/users", summary="List contacts", operation_id="list_contacts", response=Envelope[list[ContactOut]])
def list_contacts(request: BearerRequest, wanted: Body[ContactFilter] = EVERYBODY) -> Envelope[list[ContactOut]]:
    """The account's contacts, newest first, 50 a page; past the end `data` is empty.

    A contact that was larger than 64 KB before there was a bound is shortened: its key `shortened` says so.

    What is added meanwhile moves the others to later pages. For a list without gaps and repetitions send the last `_id`
    as `after` instead of counting pages; or send the time at which you began as `createdAt.endsAt` with every page.

    Every key of the filter is optional. Keys that are not listed are ignored, and so are the flags (isOnline,
    isContact, isImported, isSubscriber) unless applicableFilters names them.
    """
    owner = request.auth.owner_id
    return Envelope(data=serialize(wanted.page_of(owner), owner))


@router.post(
    "/inbox/users/import",
    summary="Import contacts",
    operation_id="import_contacts",
    response={HTTPStatus.OK: Envelope[ImportedOut], HTTPStatus.CREATED: Created[ImportedOut]},
)
def import_contacts(
    request: BearerRequest,
    rows: Body[Rows],
    bot_id: fields.OptionalId = BOT_IN_QUERY,
    bot_id_header: str = BOT_IN_HEADER,
) -> Envelope[ImportedOut]:
    """Add up to 1,000 contacts, all or none.

    A row whose email or number a contact has already updates that contact: tags are added, attributes merged, and a
    name, email, number or country that is empty or left out stays as it is. A number without a prefix is that of the
    contact with the row's email, or of the one contact that has it in its country. The answer is 201 if any contact is
    new, 200 if all were there, and 400 with a sentence for each row that is wrong. It is 429 while another call of the
    account with more than 500 contacts and tags is under way, if this one has as many, and 413 where the contacts, with
    what is known of them already, hold more than 8 MB, or those that are there already more than 4 MB. Keys that a
    contact does not have are ignored, and `message` names them.
    """
    bot = bots.find(request, bot_id or bot_id_header) if bot_id or bot_id_header else None
    wrong = {position: _why(row) for position, row in enumerate(rows, start=1) if isinstance(row, RowErrors)}
    good = {position: row.details() for position, row in enumerate(rows, start=1) if not isinstance(row, RowErrors)}
    size = len(rows) + sum(len(row.tags or ()) for row in good.values())
    try:
        with bulk_calls.turn(request.auth.owner_id, size):
            imported = imports.import_all(request.auth.owner_id, good, bot, wrong)
    except TooLarge as error:
        raise ApiError(ErrorKey.CONTACTS_TOO_LARGE, f"{_('Nothing was imported.')} {error}") from error
    except Conflict as conflict:
        # Translators: %(why)s is a clause, or several with semicolons, such as "the email is another contact's".
        row = _("Row %(number)d: %(why)s.")
        sentences = [row % {"number": position, "why": why} for position, why in conflict.problems.items()]
        raise errors.RequestFailed(ErrorKey.ROWS_INVALID, _("Nothing was imported."), sentences) from conflict
    data = ImportedOut(ids=imported.ids, created=imported.created, updated=len(imported.ids) - imported.created)
    message = ignored_keys.of_rows(row for row in rows if not isinstance(row, RowErrors))
    return Created(message=message, data=data) if imported.created else Envelope(message=message, data=data)


def _why(row: RowErrors) -> str:
    clauses = [field_errors.describe(error["loc"] or [_("the row")], error) for error in row.errors]
    # Translators: how many more errors a row has, at the end of a list of them.
    return "; ".join([*clauses, _("%(number)d more") % {"number": row.more}] if row.more else clauses)


# Before the routes with an id, which would match it too.
@router.put(
    "/inbox/users/status-update",
    summary="Set the status of contacts",
    operation_id="update_status",
    response=Envelope[StatusUpdated],
)
def update_status(request: BearerRequest, change: StatusUpdate) -> Envelope[StatusUpdated]:
    """Give up to 1,000 contacts one status: all of them, or none where an id is unknown.

    The answer is 429 and 413 as for an import.
    """
    try:
        with bulk_calls.turn(request.auth.owner_id, len(change.ids)):
            updated = contacts.set_status(request.auth.owner_id, change.ids, change.status)
    except TooLarge as error:
        raise ApiError(ErrorKey.CONTACTS_TOO_LARGE, f"{_('Nothing was changed.')} {error}") from error
    if updated is None:
        sentence = _("Some of these ids belong to no contact of your account. Nothing was changed.")
        raise ApiError(ErrorKey.CONTACT_NOT_FOUND, sentence)
    return Envelope(data=StatusUpdated(updated=updated))


@router.get(
    "/inbox/users/{contact_id}", summary="Read a contact", operation_id="read_contact", response=Envelope[ContactOut]
)
def read_contact(request: BearerRequest, contact_id: ContactId) -> Envelope[ContactOut]:
    """One contact of the account, whole, however large it is."""
    return Envelope(data=serialize([find(request, contact_id)], request.auth.owner_id)[0])


@router.put(
    "/inbox/users/{contact_id}",
    summary="Change a contact",
    operation_id="change_contact",
    response=Envelope[ContactOut],
)
def change_contact(request: BearerRequest, change: ContactIn, contact_id: ContactId) -> Envelope[ContactOut]:
    """Takes a contact as it was read, or only what changes; an empty text empties its field.

    Tags, notes and the attributes of the profile replace what is there; attributes beside the profile are merged, and
    so is a map that has no key of a contact, such as `{"plan": "gold"}`. `_id`, `_customer`, `createdAt`, `updatedAt`,
    `isImported`, `isOnline`, `lastMessage` and `lastSeenAt` are read-only: what is sent for them is ignored. This
    server sends no messages, so `lastMessage` and `lastSeenAt` never change and `isOnline` is always false. `segments`
    follows the tags and `whatsAppNumber` the number. A number that is sent without a prefix keeps the contact's prefix.
    Other keys are ignored too; where a body has nothing else, `message` names them. An email or a number belongs to one
    contact. `DELETED` is an ordinary status; the contact stays listed. Of a contact that a list has shortened,
    attributes are merged and notes stay. A contact takes at most 64 KB; one that was larger before may keep its size or
    become smaller.
    """
    with changing(request.auth.owner_id):
        contact = find(request, contact_id)
        save(contact, change.write_to(contact))
    return answer(contact, ignored_keys.of_change(change))


@router.put(
    "/inbox/users/{contact_id}/attributes",
    summary="Set attributes of a contact",
    operation_id="set_attributes",
    response=Envelope[ContactOut],
)
def set_attributes(
    request: BearerRequest,
    attributes: Body[fields.AttributesBody],
    contact_id: ContactId,
) -> Envelope[ContactOut]:
    """Takes a list of `{key, value}`, or a map. Other attributes stay; one whose value is null goes away."""
    with changing(request.auth.owner_id):
        contact = find(request, contact_id)
        Details(attributes=attributes).apply_to(contact)
        save(contact)
    return answer(contact)


def find(request: BearerRequest, contact_id: str) -> Contact:
    contact: Contact | None = Contact.objects.owned_by(request.auth.owner_id).with_id(contact_id).first()
    if contact is None:
        raise ApiError(ErrorKey.CONTACT_NOT_FOUND)
    return contact


def save(contact: Contact, tags: list[str] | None = None) -> None:
    """Write a contact inside of `changing`, and read the tags for `answer` before others can change them."""
    try:
        contacts.save(contact, tags)
    except Conflict as conflict:
        # Translators: %(why)s is a clause such as "the email is another contact's".
        sentence = _("Nothing was changed: %(why)s.") % {"why": conflict}
        raise ApiError(ErrorKey.CONTACT_CONFLICT, sentence) from conflict
    prefetch_related_objects([contact], "tags")


def answer(contact: Contact, message: str = "") -> Envelope[ContactOut]:
    """Return the response of a saved contact. Call it outside of the transaction, because large contacts take long."""
    return Envelope(message=message, data=serialize([contact], contact.owner_id)[0])
