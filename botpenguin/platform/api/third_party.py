"""Runs the account's 3rd Party Apps APIs, as its chat flows do."""

from typing import Annotated

from django.utils.translation import gettext as _
from ninja import P, PathEx, Router
from pydantic import BaseModel, Field

from accounts.orm.owners import changing
from accounts.quotas import QuotaExceeded
from accounts.web.clients import Client
from botpenguin.platform import contacts
from botpenguin.platform.api import fields, inbox
from botpenguin.platform.api.authentication import BearerRequest
from botpenguin.platform.api.envelope import Envelope
from botpenguin.platform.api.error_keys import ErrorKey
from botpenguin.platform.api.errors import ApiError
from botpenguin.platform.api.fields import Input
from botpenguin.platform.contact_values import values_of
from botpenguin.platform.contacts import Conflict, Details
from botpenguin.platform.models import Contact
from developers.outbound import running
from developers.outbound.running import Run

router = Router(tags=["third-party apps"], by_alias=True)

ApiId = PathEx[fields.PathId, P(description="The API's id, which its page shows.")]


class RunIn(Input):
    attributes: fields.Attributes = Field(
        default_factory=dict, description="What the call's `{{name}}` stand for. Goes before what the contact has."
    )
    contactId: fields.OptionalId | None = Field(
        default=None,
        description="A contact: its name, email, phone and attributes are filled in, and what is mapped is stored.",
    )


class HeaderOut(BaseModel):
    name: str = Field(examples=["Content-Type"])
    value: str = Field(examples=["application/json"])


class ResponseOut(BaseModel):
    status: int | None = Field(description="Null where no answer came; `problem` says why.", examples=[200])
    reason: str = Field(examples=["OK"])
    explanation: str = Field(examples=["The server has done what was asked."])
    problem: str | None = Field(description="Why no answer came, or only a part of it.", examples=[None])
    headers: list[HeaderOut] = Field(description="The first 100 of them.")
    body: str | None = Field(description="Null where it is no text.", examples=['{"weather":{"temperature":21}}'])
    size: int = Field(description="Bytes, unpacked.", examples=[30])
    isCut: bool = Field(description="Whether a part is missing: beyond 1 MiB, or as `problem` says.", examples=[False])
    seconds: float = Field(examples=[0.213])
    redirectedTo: list[str] = Field(examples=[[]])


Mapped = Annotated[
    dict[str, str | int | float | bool | None], Field(description="By attribute.", examples=[{"temperature": 21}])
]


class RunOut(BaseModel):
    response: ResponseOut
    attributes: Mapped
    missing: list[str] = Field(description="A sentence for each attribute that was not set.", examples=[[]])

    @classmethod
    def of(cls, run: Run) -> "RunOut":
        response = run.response
        return cls(
            response=ResponseOut(
                status=response.status,
                reason=response.reason,
                explanation=response.explanation,
                problem=response.problem,
                headers=[HeaderOut(name=name, value=value) for name, value in response.headers],
                body=response.text,
                size=response.size,
                isCut=response.is_cut,
                seconds=round(response.seconds, 3),
                redirectedTo=list(response.redirected_to),
            ),
            attributes=run.mapped,
            missing=run.missing,
        )


@router.post(
    "/third-party-apis/{api_id}/run",
    summary="Run a 3rd party API",
    operation_id="run_third_party_api",
    response=Envelope[RunOut],
)
def run_third_party_api(request: BearerRequest, wanted: RunIn, api_id: ApiId) -> Envelope[RunOut]:
    """Sends the call that was set up on the Developers page, and maps its response to attributes.

    The answer is 200 also where the other server fails: see `response`. It is 422 where an attribute that the
    call needs is missing, and 429 where a call of the account is still under way or there were too many.
    """
    owner = request.auth.owner_id
    api = running.api_of(owner, api_id)
    if api is None:
        raise ApiError(ErrorKey.API_NOT_FOUND)
    contact = inbox.find(request, wanted.contactId) if wanted.contactId else None
    # Attributes of the request override those of the contact.
    attributes = values_of(contact) if contact else {}
    attributes |= {name.lower(): value for name, value in wanted.attributes.items()}
    try:
        run = running.run(api, attributes, kind="call", client=Client.of(request))
    except running.Unfillable as unfillable:
        raise ApiError(ErrorKey.ATTRIBUTE_MISSING, str(unfillable)) from unfillable
    except running.Unreadable as unreadable:
        raise ApiError(ErrorKey.API_UNREADABLE) from unreadable
    except running.NoFreeSlot as refusal:
        raise ApiError(ErrorKey.CALL_IN_PROGRESS, str(refusal), refusal.seconds) from refusal
    except running.TooManyCalls as refusal:
        raise ApiError(ErrorKey.TOO_MANY_CALLS, str(refusal), refusal.seconds) from refusal
    if contact and run.mapped:
        run.missing.extend(_store(owner, contact.pk, run))
    return Envelope(data=RunOut.of(run))


def _store(owner: int, contact_id: str, run: Run) -> list[str]:
    """Merge mapped attributes into the contact, read again because the call may have taken seconds.

    Return sentences if that was impossible: the response of the call must be reported nevertheless.
    """
    with changing(owner):
        contact: Contact | None = Contact.objects.owned_by(owner).with_id(contact_id).first()
        if contact is None:
            return [_("Nothing was stored: the contact has been deleted meanwhile.")]
        Details(attributes=run.mapped).apply_to(contact)
        try:
            contacts.save(contact)
        except Conflict as conflict:
            # Translators: %(why)s is a clause such as "a contact has at most 100 attributes".
            return [_("Nothing was stored: %(why)s.") % {"why": conflict}]
        except QuotaExceeded as full:
            # Translators: %(why)s is one or two sentences, such as "Your contacts take 9 MB of 9 MB."
            return [_("Nothing was stored. %(why)s") % {"why": full}]
    return []
