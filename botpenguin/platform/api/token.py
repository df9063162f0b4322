"""The resource `token`: what a token says of itself."""

from http import HTTPStatus

from ninja import Router
from pydantic import BaseModel

from botpenguin.platform.api.authentication import BearerRequest
from botpenguin.platform.api.envelope import Envelope, ErrorEnvelope, Timestamp

router = Router(tags=["token"])


class TokenInfo(BaseModel):
    email: str
    hint: str
    issuedAt: Timestamp  # noqa: N815 - the API's keys are in camel case
    lastUsedAt: Timestamp | None  # noqa: N815


@router.get(
    "/token",
    summary="Who am I?",
    response={HTTPStatus.OK: Envelope[TokenInfo], HTTPStatus.UNAUTHORIZED: ErrorEnvelope},
)
def whose(request: BearerRequest) -> Envelope[TokenInfo]:
    """The account that the token belongs to, the token's last four characters, and when it was issued and last used.

    The last use is the one before this request, known to the minute.
    """
    bearer = request.auth
    return Envelope(
        data=TokenInfo(email=bearer.email, hint=bearer.hint, issuedAt=bearer.issued_at, lastUsedAt=bearer.last_used_at)
    )
