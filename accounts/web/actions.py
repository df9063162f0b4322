"""Actions: views that only take POST, each belonging to a page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import resolve_url
from django.views.decorators.http import require_POST

View = Callable[..., HttpResponseBase]


def action(page: str | Callable[..., str]) -> Callable[[View], View]:
    """Make a view an action of a page: it takes POST only, and people return to that page.

    page: its URL name, or a function that returns its path for the arguments of the view.
    """

    def decorate(view: View) -> View:
        view_of_action: View = require_POST(view)
        view_of_action.page = page  # type: ignore[attr-defined]
        return view_of_action

    return decorate


def page_of(request: HttpRequest) -> str:
    """Return the path of the page of a request: its own, or for an action that of its page."""
    match = request.resolver_match
    page = getattr(match.func, "page", None) if match else None
    if match and page:
        return str(page(**match.kwargs)) if callable(page) else resolve_url(page)
    return request.get_full_path() if request.method in ("GET", "HEAD") else request.path
