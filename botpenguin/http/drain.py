"""Leaving without dropping anybody: a node that is to stop says so first, and serves on for a while.

A balancer learns it from `/readyz` and sends others elsewhere, and whoever keeps a connection
learns it from `Connection: close`. Processes of a node learn it by a file, named for its port.
"""

import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

# Each request asks; the file system is asked no more often than this.
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
    """Have the server close connections that are kept, once each has had its answer (RFC 9112, section 9.6)."""
    if not settings.DRAIN_SECONDS:
        raise MiddlewareNotUsed

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if drain.is_announced():
            response.headers["Connection"] = "close"
        return response

    return middleware
