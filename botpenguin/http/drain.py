"""Graceful stop: a node announces that it will stop, and serves requests for some seconds more.

Load balancers see it at `/readyz` and choose other nodes. Clients with open connections see
`Connection: close`. In the last second, no more connections are accepted. The processes of a
node see a file whose name has the node's port.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from botpenguin.http import listeners

# Each request checks, but the file system is read no more often than this.
SECONDS_BETWEEN_CHECKS = 0.1
# Long enough to accept what has connected before, on a busy machine too.
SECONDS_CLOSED = 1


class Drain:
    def __init__(self) -> None:
        self._checked_at = 0.0
        self._is_announced = False
        self._is_closed = False

    @property
    def path(self) -> Path:
        return Path(settings.STATE_DIR) / f"draining-{settings.PORT}"

    def announce(self) -> None:
        self.path.touch()

    def withdraw(self) -> None:
        self.path.unlink(missing_ok=True)

    def is_announced(self) -> bool:
        now = time.monotonic()
        if now - self._checked_at > SECONDS_BETWEEN_CHECKS:
            self._checked_at, self._is_announced = now, self.path.exists()
        return self._is_announced

    def ends_connections(self) -> bool:
        """Return whether a connection is to be closed after its next response (RFC 9112, section 9.6)."""
        if not (self.is_announced() and settings.DRAIN_SECONDS):
            return False
        self.close_at_the_end()
        return True

    def close_at_the_end(self) -> None:
        """Accept no more connections in the last second, or in the second half of a shorter drain."""
        if self._is_closed:
            return
        seconds_open = max(settings.DRAIN_SECONDS - SECONDS_CLOSED, settings.DRAIN_SECONDS / 2)
        with suppress(FileNotFoundError):
            if time.time() - self.path.stat().st_mtime >= seconds_open:
                self._is_closed = True
                listeners.close(settings.PORT)


drain = Drain()


def close_connections(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Close persistent connections while the node is stopping."""
    if not settings.DRAIN_SECONDS:
        raise MiddlewareNotUsed

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if drain.ends_connections():
            response.headers["Connection"] = "close"
        return response

    return middleware
