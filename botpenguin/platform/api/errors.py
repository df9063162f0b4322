"""What the API answers when something is wrong: the real HTTP status, and sentences that say what to do."""

import logging
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError

from botpenguin.platform.api import envelope
from developers.bearer import Refusal, Refused

logger = logging.getLogger(__name__)

CHALLENGE = 'Bearer realm="BotPenguin"'


def refused(request: HttpRequest, exception: Refused) -> HttpResponse:
    """Answer 401 with the challenge of RFC 6750, section 3."""
    sentence: str = exception.refusal
    if exception.revoked_at:
        at = envelope.timestamp(exception.revoked_at)
        sentence = f"This API access token was revoked at {at}. Copy the current one from the Developers page."
    response = envelope.error(HTTPStatus.UNAUTHORIZED, sentence)
    was_sent = exception.refusal is not Refusal.MISSING
    response["WWW-Authenticate"] = (
        f'{CHALLENGE}, error="invalid_token", error_description="{sentence}"' if was_sent else CHALLENGE
    )
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return envelope.error(HTTPStatus.NOT_FOUND, "There is nothing at this path. Paths have no trailing slash.")


def invalid(request: HttpRequest, exception: ValidationError) -> HttpResponse:
    sentences = [f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}." for error in exception.errors]
    return envelope.error(HTTPStatus.UNPROCESSABLE_ENTITY, "The request has fields that cannot be used.", sentences)


def http_error(request: HttpRequest, exception: HttpError) -> HttpResponse:
    return envelope.error(HTTPStatus(exception.status_code), str(exception))


def throttled(request: HttpRequest, exception: Throttled) -> HttpResponse:
    seconds = f"{exception.wait} second{'' if exception.wait == 1 else 's'}"
    response = envelope.error(HTTPStatus.TOO_MANY_REQUESTS, f"Too many requests. Try again in {seconds}.")
    response["Retry-After"] = str(exception.wait)
    return response


def too_big(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return envelope.error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request body is too large. Send less at once.")


def cut_off(request: HttpRequest, exception: Exception) -> HttpResponse:
    return envelope.error(HTTPStatus.BAD_REQUEST, "The request body was cut off on its way. Send it again.")


def unexpected(request: HttpRequest, exception: Exception) -> HttpResponse:
    logger.error("%s %s failed.", request.method, request.path, exc_info=exception)
    return envelope.error(
        HTTPStatus.INTERNAL_SERVER_ERROR, "Something broke on our side. It has been logged; try again in a moment."
    )


def register(api: NinjaAPI) -> None:
    for exception, handler in (
        (Refused, refused),
        (Http404, not_found),
        (ValidationError, invalid),
        (HttpError, http_error),
        (Throttled, throttled),
        (RequestDataTooBig, too_big),
        (UnreadablePostError, cut_off),
        (Exception, unexpected),
    ):
        api.add_exception_handler(exception, handler)  # type: ignore[arg-type]  # ninja's type wants one for all
