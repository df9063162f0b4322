"""Requests of logged-in people, and redirects that htmx and scripts follow too."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class LoggedInRequest(HttpRequest):
    """A request behind `HtmxMiddleware` and `LoginRequired`: its user is a `User`."""

    user: User
    htmx: HtmxDetails


def takes_long_forms(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let a view take forms of `MOST_OF_A_LONG_FORM` bytes; `botpenguin.http.request_bodies` refuses others."""
    view.takes_long_forms = True  # type: ignore[attr-defined]
    return view


def not_an_activity(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that an open page calls by itself. Its requests do not count as those of a person."""
    view.is_no_activity = True  # type: ignore[attr-defined]
    return view


def wants_json(request: HttpRequest) -> bool:
    """Return whether the client prefers JSON to HTML, as our scripts do that use fetch."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def send_to(request: HttpRequest, url: str) -> HttpResponse:
    """Answer htmx and scripts with 403 and `HX-Redirect`, and browsers with a redirect.

    htmx follows that header whatever the status, and so do the scripts in `static/js`. XMLHttpRequest and fetch would
    follow a plain 302 themselves, and the log-in page would land inside the page.
    """
    status, headers = HTTPStatus.FORBIDDEN, {"Cache-Control": "no-store"}
    if request.htmx:  # type: ignore[attr-defined]  # HtmxMiddleware sets it
        return HttpResponseClientRedirect(url, status=status, headers=headers)
    if wants_json(request):
        return JsonResponse({"redirect": url}, status=status, headers=headers | {"HX-Redirect": url})
    return HttpResponseRedirect(url)
