"""Error responses of the API: the HTTP status, and sentences that say what to do."""

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError

from accounts.orm.bulk import BulkBusy
from accounts.quotas import QuotaExceeded
from botpenguin.database import outages
from botpenguin.platform.api import envelope
from botpenguin.platform.api.body import UnreadableBody
from developers.bearer.verification import RefusalReason, TokenRefused, TooManyUnknownTokens

logger = logging.getLogger(__name__)

# Characters of a client's key that an error quotes.
LONGEST_KEY = 100
CHALLENGE = 'Bearer realm="BotPenguin"'


def refused(request: HttpRequest, exception: TokenRefused) -> HttpResponse:
    """Return 401 with the challenge of RFC 6750, section 3."""
    sentence: str = exception.refusal
    if exception.revoked_at:
        at = envelope.timestamp(exception.revoked_at)
        sentence = f"This API access token was revoked at {at}. Copy the current one from the Developers page."
    response = envelope.error(HTTPStatus.UNAUTHORIZED, sentence)
    was_sent = exception.refusal is not RefusalReason.MISSING
    response["WWW-Authenticate"] = (
        f'{CHALLENGE}, error="invalid_token", error_description="{sentence}"' if was_sent else CHALLENGE
    )
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return envelope.error(HTTPStatus.NOT_FOUND, "There is nothing at this path. Paths have no trailing slash.")


class RequestFailed(Exception):
    """The request cannot be done; `sentences` are the reasons, and `outcome` says what was not done."""

    def __init__(self, status: HTTPStatus, outcome: str, sentences: Sequence[str]) -> None:
        super().__init__(outcome)
        self.status = status
        self.sentences = sentences


def request_failed(request: HttpRequest, exception: RequestFailed) -> HttpResponse:
    message = f"{envelope.first_of(exception.sentences)} {exception}"
    return envelope.error(exception.status, message, exception.sentences)


def invalid(request: HttpRequest, exception: ValidationError) -> HttpResponse:
    sentences = [sentence(_inside(error["loc"]), error["msg"]) for error in exception.errors]
    return envelope.error(HTTPStatus.UNPROCESSABLE_ENTITY, envelope.first_of(sentences), sentences)


def sentence(location: Sequence[int | str], message: str) -> str:
    return f"{describe(location or ['The body'], message)}."


def describe(location: Sequence[int | str], message: str) -> str:
    """Describe the error of a field: `profile.notes.0 should be a text of at most 2,000 characters`."""
    message = message.replace("Field required", "is required")
    message = re.sub(r"^[A-Z]\w+ should ", "should ", message)
    message = re.sub(r"a valid dictionary or .+|a valid dictionary", "an object", message)
    message = re.sub(r" after validation, not .+", "", message)
    return f"{'.'.join(str(part)[:LONGEST_KEY] for part in location)} {message.rstrip('.')}"


def _inside(location: Sequence[int | str]) -> Sequence[int | str]:
    """Drop the parts that clients do not know: the source of the field, and the parameter name of the body."""
    return location[2:] if location[0] == "body" else location[1:]


def http_error(request: HttpRequest, exception: HttpError) -> HttpResponse:
    unreadable = UnreadableBody.behind(exception)
    if unreadable:
        return envelope.error(unreadable.status, str(unreadable))
    return envelope.error(HTTPStatus(exception.status_code), str(exception))


def conflict(request: HttpRequest, exception: IntegrityError) -> HttpResponse:
    """A constraint has refused a change that was valid when it was checked."""
    logger.warning("%s %r met a constraint: %s", request.method, request.path, type(exception).__name__)
    return envelope.error(HTTPStatus.CONFLICT, "Another request has changed the same thing. Read it and try again.")


def quota_exceeded(request: HttpRequest, exception: QuotaExceeded) -> HttpResponse:
    """409, because clients only wait after 429, and show 403 as wrong credentials."""
    return envelope.error(HTTPStatus.CONFLICT, f"{exception} Nothing was changed.")


def throttled(request: HttpRequest, exception: Throttled | TooManyUnknownTokens) -> HttpResponse:
    what = "unknown tokens from this address" if isinstance(exception, TooManyUnknownTokens) else "requests"
    seconds = f"{exception.wait} second{'' if exception.wait == 1 else 's'}"
    response = envelope.error(HTTPStatus.TOO_MANY_REQUESTS, f"Too many {what}. Try again in {seconds}.")
    response["Retry-After"] = str(exception.wait)
    return response


class RetryLater(Exception):
    """The request must wait for `seconds`. The text is a sentence."""

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.seconds = seconds


def retry_later(request: HttpRequest, exception: RetryLater | BulkBusy) -> HttpResponse:
    response = envelope.error(HTTPStatus.TOO_MANY_REQUESTS, str(exception))
    response["Retry-After"] = str(exception.seconds)
    return response


def too_big(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return envelope.error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request body is too large. Send less at once.")


def too_many(request: HttpRequest, exception: Exception) -> HttpResponse:
    return envelope.error(HTTPStatus.BAD_REQUEST, "The query has too many parameters to be read. Send fewer.")


def cut_off(request: HttpRequest, exception: Exception) -> HttpResponse:
    return envelope.error(HTTPStatus.BAD_REQUEST, "The request body was cut off on its way. Send it again.")


NOTHING_CHANGED = "The server cannot do this right now, and nothing was changed. Try again in a few seconds."
NOT_CONFIRMED = (
    "The database has not confirmed this yet, so it may or may not take effect. Ask again in a few seconds what the "
    "state is, before you repeat the call."
)


def unavailable(sentence: str = NOTHING_CHANGED) -> HttpResponse:
    response = envelope.error(HTTPStatus.SERVICE_UNAVAILABLE, sentence)
    response["Retry-After"] = str(outages.RETRY_AFTER)
    return response


def broken() -> HttpResponse:
    return envelope.error(
        HTTPStatus.INTERNAL_SERVER_ERROR, "Something broke on our side. It has been logged; try again in a moment."
    )


def unexpected(request: HttpRequest, exception: Exception) -> HttpResponse:
    if outages.is_outage(exception):
        outages.log_outage(exception, request.method, request.path)
        return unavailable(NOT_CONFIRMED if outages.may_have_changed(exception, request.method) else NOTHING_CHANGED)
    # Quoted: a line break in the path would start a new log line.
    logger.error("%s %r failed.", request.method, request.path, exc_info=exception)
    return broken()


def register(api: NinjaAPI) -> None:
    for exception, handler in (
        (TokenRefused, refused),
        (Http404, not_found),
        (ValidationError, invalid),
        (HttpError, http_error),
        (RequestFailed, request_failed),
        (IntegrityError, conflict),
        (QuotaExceeded, quota_exceeded),
        (Throttled, throttled),
        (TooManyUnknownTokens, throttled),
        (RetryLater, retry_later),
        (BulkBusy, retry_later),
        (RequestDataTooBig, too_big),
        (TooManyFieldsSent, too_many),
        (UnreadablePostError, cut_off),
        (Exception, unexpected),
    ):
        api.add_exception_handler(exception, handler)  # type: ignore[arg-type]  # ninja's type wants one for all
