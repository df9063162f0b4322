"""Error pages of one design: what happened, and one link to continue."""

import sys
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.orm import bulk
from accounts.passwords import TOO_LONG
from accounts.throttling import rate_limits
from accounts.throttling.hashing import HashingBusy
from accounts.web import formats
from accounts.web.actions import page_of
from accounts.web.requests import wants_json
from botpenguin.database import outages
from botpenguin.observability import request_ids

# `/healthz` and `/readyz/writes` need no database, and `/readyz` checks it itself.
NEEDS_NO_DATABASE = ("/healthz", "/readyz", "/readyz/writes")
WITH_PASSWORDS = "/account/"

# For the page's script, which shows no error page.
NOT_CONFIRMED = "Not-Confirmed"

MINUTE = 60
SECONDS_WHEN_BUSY = 2


def _error_page(status: HTTPStatus, title: str, text: str, way_on: str = "/", way_on_text: str = "") -> HttpResponse:
    # Rendered without the request: a context processor could fail again.
    context = {"status": status.value, "title": title, "text": text, "way_on": way_on, "way_on_text": way_on_text}
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # The id in a report of the error leads to its lines in the log.
        context["request_id"] = request_ids.current.get()
    return HttpResponse(render_to_string("error.html", context), status=status, headers={"Cache-Control": "no-store"})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_page(
        HTTPStatus.BAD_REQUEST,
        _("That request did not make sense"),
        _("The address or the form was damaged on its way. Nothing was changed."),
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_page(
        HTTPStatus.FORBIDDEN,
        _("You can't open this page"),
        _("Your account may not see this page. Nothing was changed."),
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_page(
        HTTPStatus.NOT_FOUND,
        _("There is no page here"),
        _("The address may be mistyped, or the page may have moved."),
    )


def form_too_long(request: HttpRequest, most: int) -> HttpResponse:
    text = _("This form takes %(most)s KB. Nothing was changed. Go back and shorten it.") % {
        "most": formats.number(most // 1024)
    }
    if request.path_info.startswith(WITH_PASSWORDS):
        # The form is not read, so its address alone says what was too long. A browser that goes back keeps the rest.
        text = f"{text} {TOO_LONG}"
    return _error_page(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        _("That is too much at once"),
        text,
        way_on=page_of(request),
        way_on_text=_("Back to the page"),
    )


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Say how long to wait. Limits of pages are per minute, so after one minute a request is possible again."""
    page = _error_page(
        HTTPStatus.TOO_MANY_REQUESTS,
        _("Too many attempts"),
        _("Your network has sent too many requests. Wait a minute, then try again. Nothing was changed."),
        way_on=page_of(request),
        way_on_text=_("Back to the page"),
    )
    page["Retry-After"] = str(MINUTE)
    return page


def server_error(request: HttpRequest) -> HttpResponse:
    """Respond to an unhandled exception. Django calls this while it handles the exception."""
    error = sys.exc_info()[1]
    if error and outages.is_outage(error):
        outages.log_outage(error, request.method, _route(request))
        return _not_confirmed(request) if outages.may_have_changed(error, request.method) else _unavailable()
    return _error_page(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        _("Something broke on our side"),
        _("It has been logged. Try again in a moment."),
    )


def _unavailable() -> HttpResponse:
    page = _error_page(
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("We cannot do this right now"),
        _(
            "A service that this page needs is unavailable. Nothing was changed. It usually returns within seconds: "
            "wait a moment, then try again."
        ),
    )
    page["Retry-After"] = str(outages.RETRY_AFTER)
    return page


def _not_confirmed(request: HttpRequest) -> HttpResponse:
    page = _error_page(
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("Not confirmed yet"),
        _(
            "The database has not confirmed the change yet, so it may or may not take effect. If you are replacing a "
            "token, treat the old one as valid. Wait a moment, then open the page again and see what it shows."
        ),
        way_on=page_of(request),
        way_on_text=_("Open the page again"),
    )
    page["Retry-After"] = str(outages.RETRY_AFTER)
    page[NOT_CONFIRMED] = "1"
    return page


def _busy(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Respond if a password hash or bulk work of other accounts would make the request wait."""
    if isinstance(error, bulk.BulkBusy):
        text = str(error)
    elif isinstance(error, HashingBusy):
        # No password was checked, so nothing is counted.
        rate_limits.undo(request)
        text = _("Too many people log in or sign up at this moment. Nothing was changed. Try again in a few seconds.")
    else:
        return None
    answer: HttpResponse
    if wants_json(request):
        answer = JsonResponse({"error": text}, status=HTTPStatus.SERVICE_UNAVAILABLE)
        answer["Cache-Control"] = "no-store"
    else:
        title, way_on = _("One moment, please"), page_of(request)
        answer = _error_page(HTTPStatus.SERVICE_UNAVAILABLE, title, text, way_on, _("Back to the page"))
    answer["Retry-After"] = str(SECONDS_WHEN_BUSY)
    return answer


def _route(request: HttpRequest) -> str:
    """Return the pattern of the URL. The URL itself may contain the secret of a link."""
    return request.resolver_match.route if request.resolver_match else ""


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form with a wrong CSRF token, and link to its page, which has a new one."""
    return _error_page(
        HTTPStatus.FORBIDDEN,
        _("This form is out of date"),
        _("You may have logged in again since you opened it. Nothing was changed. Go back and try again."),
        way_on=page_of(request),
        way_on_text=_("Back to the page"),
    )


def designed_errors(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Show a page for an outage, for `HashingBusy`, and for 405, which Django answers with an empty body."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in NEEDS_NO_DATABASE:
            outages.check(request.method)
        response = get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or response.content:
            return response
        page = _error_page(
            HTTPStatus.METHOD_NOT_ALLOWED,
            _("You can't open this page directly"),
            _("A button on another page starts it. Nothing was changed."),
            way_on=page_of(request),
            way_on_text=_("Go to its page"),
        )
        page["Allow"] = response["Allow"]
        return page

    middleware.process_exception = _busy  # type: ignore[attr-defined]  # Django calls it where a view raises
    return middleware
