"""Work done once the response is sent, so that the time of a response says nothing about what was looked up."""

import logging
from collections.abc import Callable

from allauth.core import context
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

Work = Callable[[], object]


def after_response(request: HttpRequest | None, work: Work) -> None:
    """Have `work` done when the response to this request is sent, and its errors logged; without a request at once."""
    if request is None:
        work()
        return
    request.afterwards = [*getattr(request, "afterwards", []), work]  # type: ignore[attr-defined]


def work_afterwards(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        works: list[Work] = getattr(request, "afterwards", [])
        if works:
            # Called by the server once the body is sent (PEP 3333), while this thread still has its connection. With
            # HTTP/1.1 and a Content-Length, which all pages have, the client has the whole response by then.
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
