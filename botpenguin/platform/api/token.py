"""The resource `token`: read and revoke the own token, report exposed tokens."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy
from ninja import Router
from ninja.decorators import decorate_view
from pydantic import BaseModel, Field

from accounts.email_addresses import ascii_spelling, shown
from accounts.web.clients import Client
from botpenguin.platform.api.authentication import ApiAccessToken, BearerRequest, TokenToRevoke
from botpenguin.platform.api.call_limits import ByAddress, body_at_most
from botpenguin.platform.api.envelope import Envelope, PlainEnvelope, Timestamp, timestamp
from developers.bearer import verification
from developers.bearer.verification import Bearer

router = Router(tags=["token"])

MOST_REPORTED = 100
LARGEST_REPORT = 16 * 1024
REVOKE = "revoke"
# What generators of tools for agents look at: openapi-mcp-generator, Speakeasy, and actions of ChatGPT.
NOT_BY_CHANCE: dict[str, Any] = {
    "x-mcp": False,
    "x-speakeasy-mcp": {"disabled": True},
    "x-openai-isConsequential": True,
}
IDENTITY_HEADERS = {
    name: {"description": description, "schema": {"type": "string"}}
    for name, description in {
        "X-Auth-Account": "The number of the account. It never changes.",
        "X-Auth-Email": "Its email address, with the domain in ASCII.",
        "X-Auth-Token-Hint": "The token's last four characters.",
    }.items()
}
THANKS = gettext_lazy("Thank you. What is a live token among these is revoked now, and its owner is notified.")


class TokenInfo(BaseModel):
    email: str = Field(description="With the domain in its own script.", examples=["you@example.com"])
    hint: str = Field(description="The token's last four characters.", examples=["3f9a"])
    issuedAt: Timestamp  # noqa: N815 - the API's keys are in camel case
    lastUsedAt: Timestamp | None  # noqa: N815


@router.get(
    "/token",
    summary="Who am I?",
    operation_id="read_token",
    response=Envelope[TokenInfo],
)
def whose(request: BearerRequest) -> PlainEnvelope:
    """The account that the token belongs to, the token's last four characters, and when it was issued and last used.

    The last use is the one before this request, known to the minute.
    """
    return described(request.auth)


def described(found: Bearer) -> PlainEnvelope:
    data = {
        "email": shown(found.email),
        "hint": found.hint,
        "issuedAt": timestamp(found.issued_at),
        "lastUsedAt": timestamp(found.last_used_at) if found.last_used_at else None,
    }
    return {"success": True, "message": "", "data": data, "code": HTTPStatus.OK}


@router.get(
    "/token/check",
    summary="Check a token for a gateway",
    operation_id="check_token",
    auth=ApiAccessToken(is_counted=False),
    response={HTTPStatus.NO_CONTENT: None},
    openapi_extra={"responses": {HTTPStatus.NO_CONTENT.value: {"headers": IDENTITY_HEADERS}}},
)
def check(request: BearerRequest) -> HttpResponse:
    """For gateways that ask before they let a call through: `auth_request` of nginx and the like.

    A valid token is answered without a body; headers say whose it is. It does not count towards the limit of requests
    a minute. Nothing may keep the answer: a revoke takes effect at once.
    """
    response = HttpResponse(status=HTTPStatus.NO_CONTENT, headers=identity(request.auth))
    del response["Content-Type"]
    return response


def identity(found: Bearer) -> dict[str, str]:
    """Return the headers of a valid token. An address that no header can hold, of version 0.1.0, is left out."""
    email = ascii_spelling(found.email)
    named = {"X-Auth-Account": str(found.owner_id), "X-Auth-Token-Hint": found.hint}
    return named | {"X-Auth-Email": email} if email else named


@router.post(
    "/token/revoke",
    summary="Revoke this token",
    operation_id="revoke_token",
    tags=[REVOKE],
    auth=TokenToRevoke(),
    response={HTTPStatus.NO_CONTENT: None},
    # No headers of a quota either.
    openapi_extra={"responses": {HTTPStatus.NO_CONTENT.value: {"headers": {}}}} | NOT_BY_CHANCE,
)
def revoke(request: BearerRequest) -> None:
    """Call it only if others may have the token. Every program that uses the token stops working at once.

    Its owner is mailed. The new one is not in the answer: its owner finds it on the Developers page.
    """
    verification.revoke(request.auth, Client.of(request))


class Report(BaseModel):
    tokens: list[str] = Field(min_length=1, max_length=MOST_REPORTED, examples=[["bpat_…", "bpat_…"]])


class Received(BaseModel):
    received: int = Field(description="How many texts the report held.", examples=[2])


@router.post(
    "/token/report-exposed",
    summary="Report exposed tokens",
    operation_id="report_exposed_tokens",
    auth=None,
    throttle=ByAddress("report_exposed"),
    response=Envelope[Received],
)
@decorate_view(body_at_most(LARGEST_REPORT))
def report_exposed(request: HttpRequest, report: Report) -> Envelope[Received]:
    """For whoever finds tokens where others can read them, scanners for secrets above all. Needs no token.

    Each live one is revoked before the answer, and its owner is mailed. The answer is the
    same whatever the texts are, so it does not reveal which of them were live. At most 100 in a
    body of 16 KB, each a token or a line that holds one, and 10 requests a minute from an address.
    """
    verification.report_exposed(report.tokens, Client.of(request))
    return Envelope(message=str(THANKS), data=Received(received=len(report.tokens)))
