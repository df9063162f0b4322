"""Request bodies: how long forms may be, and what nobody read."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from botpenguin.http import errors

CHUNK = 64 * 1024
MOST = 8 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
# A page that shows a form again takes up to 130 times as much memory as the form: each `'` becomes six characters, and
# where there is an emoji each of them takes four bytes, in several copies.
MOST_OF_A_FORM = 64 * 1024
# Of views that `takes_long_forms`.
MOST_OF_A_LONG_FORM = 512 * 1024


class RefuseLongForms:
    """Answer 413 to a form that holds more than its view takes, before it is checked or shown again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *args: Any) -> HttpResponse | None:
        most = MOST_OF_A_LONG_FORM if getattr(view, "takes_long_forms", False) else MOST_OF_A_FORM
        return errors.form_too_long(request, most) if _length_of_form(request, most) > most else None


def _length_of_form(request: HttpRequest, most: int) -> int:
    """Return the bytes of a form. Files do not count, which are dropped as they come."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length <= most or request.content_type != "multipart/form-data":
        return length
    return sum(len(name) + sum(map(len, values)) for name, values in request.POST.lists())


def finish_bodies(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Read what an early refusal has left of a body, so that the connection can carry the next request.

    A server cannot tell the rest of a body from a request, and closes the connection under its
    client's next one. Beyond `MOST` bytes the answer says beforehand that it will
    (RFC 9112, section 9.6).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.META.get("CONTENT_LENGTH") and not _is_read_to_the_end(request):
            response.headers["Connection"] = "close"
        return response

    return middleware


def _is_read_to_the_end(request: HttpRequest) -> bool:
    with suppress(UnreadablePostError):
        # One more: only an empty chunk tells the end.
        for _ in range(MOST // CHUNK + 1):
            if not request.read(CHUNK):
                return True
    return False
