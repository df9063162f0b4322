"""Graceful stop: a node announces that it will stop, and serves requests for some seconds more.

Load balancers see it at `/readyz` and choose other nodes. Clients with open connections see
`Connection: close`. The processes of a node see a file whose name has the node's port.
"""

import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

# Each request checks, but the file system is read no more often than this.
SECONDS_BETWEEN_CHECKS = 0.1


class Drain:
    def __init__(self) -> None:
        self._checked_at = 0.0
        self._is_announced = False

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


drain = Drain()


def close_connections(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Close persistent connections after their next response (RFC 9112, section 9.6)."""
    if not settings.DRAIN_SECONDS:
        raise MiddlewareNotUsed

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if drain.is_announced():
            response.headers["Connection"] = "close"
        return response

    return middleware
