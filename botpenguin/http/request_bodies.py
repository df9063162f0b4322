"""Request bodies: those in chunks, the longest forms, and bodies that no view has read."""

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from botpenguin.http import errors

CHUNK = 64 * 1024
MOST = 8 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
# A page that shows a form again takes up to 130 times as much memory as the form: each `'` becomes six characters, each
# of which takes four bytes if there is an emoji, in several copies.
MOST_OF_A_FORM = 64 * 1024
# For views with the attribute `takes_long_forms`.
MOST_OF_A_LONG_FORM = 512 * 1024


class RefuseLongForms:
    """Answers 413 to a form that is longer than its view accepts, before it is validated or shown again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *args: Any) -> HttpResponse | None:
        most = MOST_OF_A_LONG_FORM if getattr(view, "takes_long_forms", False) else MOST_OF_A_FORM
        return errors.form_too_long(request, most) if _length_of_form(request, most) > most else None


def _length_of_form(request: HttpRequest, most: int) -> int:
    """Return the bytes of a form without its files, which are dropped as they arrive."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length <= most or request.content_type != "multipart/form-data":
        return length
    return sum(len(name) + sum(map(len, values)) for name, values in request.POST.lists())


def join_chunks(request: HttpRequest, most: int) -> bool:
    """Read a body in chunks, of which Django would read nothing, and give it a length. Return whether it is too long.

    The server takes the chunks apart, but does not say whether the last one has come (RFC 9112, section 8): so only for
    bodies of which no beginning is valid, such as JSON objects. Raises `UnreadablePostError`.
    """
    body = bytearray()
    try:
        while len(body) <= most and (chunk := request.environ["wsgi.input"].read(CHUNK)):  # type: ignore[attr-defined]
            body += chunk
    except OSError as error:
        raise UnreadablePostError(*error.args) from error
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)
    return len(body) > most


def finish_bodies(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not finish_body(request):
            response.headers["Connection"] = "close"
        return response

    return middleware


def finish_body(request: HttpRequest) -> bool:
    """Read the rest of a body after an early response. Return whether the connection can carry the next request.

    A server cannot distinguish the rest of a body from a request, and closes the connection under its client's next
    one. Beyond `MOST` bytes the answer must say beforehand that it will (RFC 9112, section 9.6).
    """
    if not request.META.get("CONTENT_LENGTH"):
        return True
    with suppress(UnreadablePostError):
        # One more: only an empty chunk marks the end.
        for _ in range(MOST // CHUNK + 1):
            if not request.read(CHUNK):
                return True
    return False
