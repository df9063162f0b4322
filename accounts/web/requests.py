"""Requests as pages see them: who asks, what they can take, and how to send them elsewhere."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class LoggedInRequest(HttpRequest):
    """A request behind `LoginRequired`: its user is a `User`."""

    user: User


def takes_long_forms(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let a view take forms of `MOST_OF_A_LONG_FORM` bytes; `botpenguin.http.request_bodies` refuses others."""
    view.takes_long_forms = True  # type: ignore[attr-defined]
    return view


def is_htmx(request: HttpRequest) -> bool:
    return bool(HtmxDetails(request))


def wants_json(request: HttpRequest) -> bool:
    """Tell whether a script asked by fetch: it would rather have JSON than HTML."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def send_to(request: HttpRequest, url: str) -> HttpResponse:
    """Answer htmx and scripts with 403 and `HX-Redirect`, and browsers with a redirect.

    htmx follows that header whatever the status, and our scripts obey it too. A plain 302
    would be followed by the request itself, and a log-in page land inside the page.
    """
    headers = {"HX-Redirect": url, "Cache-Control": "no-store"}
    if is_htmx(request):
        return HttpResponse(status=HTTPStatus.FORBIDDEN, headers=headers)
    if wants_json(request):
        return JsonResponse({"redirect": url}, status=HTTPStatus.FORBIDDEN, headers=headers)
    return HttpResponseRedirect(url)
