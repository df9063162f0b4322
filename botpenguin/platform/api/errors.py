"""Error responses of the API: the HTTP status, and sentences that say what to do."""

import logging
from collections.abc import Sequence

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError

from accounts.orm.bulk import BulkBusy
from accounts.quotas import QuotaExceeded
from botpenguin.database import outages
from botpenguin.platform.api import envelope, field_errors
from botpenguin.platform.api.body import UnreadableBody
from botpenguin.platform.api.error_keys import ErrorKey
from developers.bearer.verification import RefusalReason, TokenRefused, TooManyUnknownTokens

logger = logging.getLogger(__name__)

CHALLENGE = 'Bearer realm="BotPenguin"'
OF_REFUSALS = {
    RefusalReason.MISSING: ErrorKey.TOKEN_MISSING,
    RefusalReason.WRONG_AUTHTYPE: ErrorKey.AUTHTYPE_WRONG,
    RefusalReason.MALFORMED: ErrorKey.TOKEN_MALFORMED,
    RefusalReason.UNKNOWN: ErrorKey.TOKEN_UNKNOWN,
    RefusalReason.REVOKED: ErrorKey.TOKEN_REVOKED,
    RefusalReason.DISABLED: ErrorKey.ACCOUNT_DISABLED,
}
REVOKED_AT = gettext_noop(
    "This API access token was revoked at %(time)s. Copy the current one from the Developers page."
)


def refused(request: HttpRequest, exception: TokenRefused) -> HttpResponse:
    """Return 401 with the challenge of RFC 6750, section 3, which is in English because it must be ASCII."""
    key, english = OF_REFUSALS[exception.refusal], str(exception.refusal)
    sentence = key.say()
    if exception.revoked_at:
        at = {"time": envelope.timestamp(exception.revoked_at)}
        sentence, english = _(REVOKED_AT) % at, REVOKED_AT % at
    response = envelope.error(key, sentence)
    was_sent = exception.refusal is not RefusalReason.MISSING
    response["WWW-Authenticate"] = (
        f'{CHALLENGE}, error="invalid_token", error_description="{english}"' if was_sent else CHALLENGE
    )
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return envelope.error(ErrorKey.NOT_FOUND)


class RequestFailed(Exception):
    """The request cannot be done; `sentences` are the reasons, and `outcome` says what was not done."""

    def __init__(self, key: ErrorKey, outcome: str, sentences: Sequence[str]) -> None:
        super().__init__(outcome)
        self.key = key
        self.sentences = sentences


def request_failed(request: HttpRequest, exception: RequestFailed) -> HttpResponse:
    message = f"{envelope.first_of(exception.sentences)} {exception}"
    return envelope.error(exception.key, message, exception.sentences)


def invalid(request: HttpRequest, exception: ValidationError) -> HttpResponse:
    sentences = [field_errors.sentence(_inside(error["loc"]), error) for error in exception.errors]
    return envelope.error(ErrorKey.VALIDATION_FAILED, envelope.first_of(sentences), sentences)


def _inside(location: Sequence[int | str]) -> Sequence[int | str]:
    """Drop the parts that clients do not know: the source of the field, and the parameter name of the body."""
    return location[2:] if location[0] == "body" else location[1:]


def http_error(request: HttpRequest, exception: HttpError) -> HttpResponse:
    unreadable = UnreadableBody.behind(exception)
    if unreadable:
        return envelope.error(unreadable.key, str(unreadable))
    return envelope.error(ErrorKey.of(exception.status_code), str(exception), status=exception.status_code)


def conflict(request: HttpRequest, exception: IntegrityError) -> HttpResponse:
    """A constraint has refused a change that was valid when it was checked."""
    logger.warning("%s %r met a constraint: %s", request.method, request.path, type(exception).__name__)
    return envelope.error(ErrorKey.CONFLICT)


def quota_exceeded(request: HttpRequest, exception: QuotaExceeded) -> HttpResponse:
    """409, because clients only wait after 429, and show 403 as wrong credentials."""
    return envelope.error(ErrorKey.QUOTA_EXCEEDED, f"{exception} {_('Nothing was changed.')}")


def throttled(request: HttpRequest, exception: Throttled | TooManyUnknownTokens) -> HttpResponse:
    is_of_unknown = isinstance(exception, TooManyUnknownTokens)
    key = ErrorKey.TOO_MANY_UNKNOWN_TOKENS if is_of_unknown else ErrorKey.RATE_LIMITED
    response = envelope.error(key, key.say(seconds=exception.wait))
    response["Retry-After"] = str(exception.wait)
    return response


class ApiError(Exception):
    """The request cannot be done: the sentence of the key says why, or a given one. `seconds`: when to try again."""

    def __init__(self, key: ErrorKey, sentence: str = "", seconds: int = 0) -> None:
        super().__init__(sentence or key.say())
        self.key = key
        self.seconds = seconds


def api_error(request: HttpRequest, exception: ApiError) -> HttpResponse:
    response = envelope.error(exception.key, str(exception))
    if exception.seconds:
        response["Retry-After"] = str(exception.seconds)
    return response


def bulk_busy(request: HttpRequest, exception: BulkBusy) -> HttpResponse:
    response = envelope.error(ErrorKey.BUSY)
    response["Retry-After"] = str(exception.seconds)
    return response


def too_big(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return envelope.error(ErrorKey.BODY_TOO_LARGE)


def too_many(request: HttpRequest, exception: Exception) -> HttpResponse:
    return envelope.error(ErrorKey.TOO_MANY_PARAMETERS)


def cut_off(request: HttpRequest, exception: Exception) -> HttpResponse:
    return envelope.error(ErrorKey.BODY_CUT_OFF)


def unavailable(key: ErrorKey = ErrorKey.UNAVAILABLE) -> HttpResponse:
    response = envelope.error(key)
    response["Retry-After"] = str(outages.RETRY_AFTER)
    return response


def broken() -> HttpResponse:
    return envelope.error(ErrorKey.SERVER_ERROR)


def unexpected(request: HttpRequest, exception: Exception) -> HttpResponse:
    if outages.is_outage(exception):
        outages.log_outage(exception, request.method, request.path)
        is_open = outages.may_have_changed(exception, request.method)
        return unavailable(ErrorKey.NOT_CONFIRMED if is_open else ErrorKey.UNAVAILABLE)
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
        (ApiError, api_error),
        (BulkBusy, bulk_busy),
        (RequestDataTooBig, too_big),
        (TooManyFieldsSent, too_many),
        (UnreadablePostError, cut_off),
        (Exception, unexpected),
    ):
        api.add_exception_handler(exception, handler)  # type: ignore[arg-type]  # ninja's type wants one for all
