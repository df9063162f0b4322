"""Request bodies that nobody read."""

from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

CHUNK = 64 * 1024
MOST = 8 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE


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
