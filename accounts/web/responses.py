"""Work after a response is sent, so that its time does not show what was looked up."""

import logging
from collections.abc import Callable

from allauth.core import context
from django.http import HttpRequest, HttpResponse
from django.utils import translation

logger = logging.getLogger(__name__)

Work = Callable[[], object]


def after_response(request: HttpRequest | None, work: Work) -> None:
    """Do `work` after the response to this request is sent, and log its errors. Without a request do it at once."""
    if request is None:
        work()
        return
    # Mails to people without an account are in the language of the page.
    in_language = translation.override(translation.get_language())(work)
    request.work_afterwards = [*getattr(request, "work_afterwards", []), in_language]  # type: ignore[attr-defined]


def work_afterwards(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        works: list[Work] = getattr(request, "work_afterwards", [])
        if works:
            # The server calls it after the body is sent (PEP 3333), while this thread still has its database
            # connection. All pages have a Content-Length, so with HTTP/1.1 the client has the response by then.
            response._resource_closers.append(lambda: _do(request, works))  # type: ignore[attr-defined]
        return response

    return middleware


def _do(request: HttpRequest, works: list[Work]) -> None:
    with context.request_context(request):
        for work in works:
            try:
                work()
            except Exception:
                logger.exception("Work after a response failed.")
