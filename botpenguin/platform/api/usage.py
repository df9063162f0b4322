"""Part of the resource `token`: the programs that use it."""

from typing import Any

from ninja import Router
from pydantic import BaseModel, Field

from botpenguin.platform.api.authentication import BearerRequest
from botpenguin.platform.api.envelope import Envelope, Timestamp
from developers.bearer import verification
from developers.bearer.verification import ListedUse

router = Router(tags=["token"])


class Use(BaseModel):
    accepted: int = Field(description="How many calls were accepted, at least.", examples=[1042])
    refused: int = Field(description="How many were refused because their token was revoked, at least.", examples=[12])
    firstAt: Timestamp
    lastAt: Timestamp
    currentSince: Timestamp | None = Field(description="Since when it has used the current token; null if it has not.")
    lastRefusedAt: Timestamp | None


class UseFrom(Use):
    address: str = Field(description="IPv4, or the /64 of an IPv6 address.", examples=["203.0.113.9"])


class UseBy(Use):
    program: str = Field(description="As it calls itself in its User-Agent.", examples=["python-requests"])
    label: str = Field(description="What its owner calls it; empty if it has no label.", examples=["CRM sync"])
    addresses: list[UseFrom]


class Usage(BaseModel):
    days: int = Field(description="The number of days that are counted, today included.", examples=[35])
    programs: list[UseBy]


@router.get(
    "/token/usage",
    summary="Which programs use the token?",
    operation_id="read_token_usage",
    response=Envelope[Usage],
)
def usage(request: BearerRequest) -> Envelope[Usage]:
    """The programs that sent a token of this account, the current one or a revoked one. The last used is the first.

    A program is the first product name of its User-Agent, without the version. Programs choose these names themselves,
    and several may share one. Owners give labels on the page of the token. A call is counted within a minute. The
    answer has at most 50 programs, those with a label and those used last, and of each the 20 addresses used last. Of
    one day, programs beyond 50 are counted as "Other programs", and addresses of a program beyond 20 as "Other
    addresses". Programs and addresses of earlier days keep their own names.
    """
    programs = [
        UseBy(
            program=use.title,
            label=use.label,
            addresses=[UseFrom(address=place.title, **_counted(place)) for place in use.addresses],
            **_counted(use),
        )
        for use in verification.uses(request.auth)
    ]
    return Envelope(data=Usage(days=verification.USES_KEPT_DAYS, programs=programs))


def _counted(use: ListedUse) -> dict[str, Any]:
    return {
        "accepted": use.accepted,
        "refused": use.refused,
        "firstAt": use.first_at,
        "lastAt": use.last_at,
        "currentSince": use.current_since,
        "lastRefusedAt": use.last_refused_at,
    }
