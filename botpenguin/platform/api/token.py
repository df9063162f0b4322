"""The resource `token`: read and revoke the own token, report exposed tokens."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.decorators import decorate_view
from pydantic import BaseModel, Field

from accounts.email_addresses import shown
from accounts.web.clients import Client
from botpenguin.platform.api.authentication import BearerRequest, TokenToRevoke
from botpenguin.platform.api.call_limits import ByAddress, body_at_most
from botpenguin.platform.api.envelope import Envelope, PlainEnvelope, Timestamp, timestamp
from developers.bearer import verification

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
THANKS = "Thank you. What is a live token among these is revoked now, and its owner is notified."


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
    found = request.auth
    data = {
        "email": shown(found.email),
        "hint": found.hint,
        "issuedAt": timestamp(found.issued_at),
        "lastUsedAt": timestamp(found.last_used_at) if found.last_used_at else None,
    }
    return {"success": True, "message": "", "data": data, "code": HTTPStatus.OK}


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
    return Envelope(message=THANKS, data=Received(received=len(report.tokens)))
