"""Rate limits of the API, by token or by IP address, and the largest bodies.

A token's requests are counted after the bearer check, in the memory of each process. So no
valid token is cached, a revoke is never delayed, and the real limit is the limit times the
number of processes. A window is the minute after its first request, so around its end twice
the limit may pass within a minute. A new generation gets a new window, so that an owner who
revokes an abused token is not limited. `developers.bearer.unknown_tokens` limits unknown
tokens before the database is queried.

Responses have the headers of draft-ietf-httpapi-ratelimit-headers-10, and refusals
`Retry-After` (RFC 9110, section 10.2.3).
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja.errors import Throttled
from ninja.throttling import BaseThrottle

from botpenguin.platform.api import errors
from developers.bearer.verification import Bearer

WINDOW = 60
MOST_REMEMBERED = 50_000
QUOTA = "botpenguin.quota"


@dataclass(frozen=True, slots=True)
class TokenQuota:
    """A token's remaining requests in its window, which ends in `seconds`. `remaining` is -1 if exceeded."""

    limit: int
    remaining: int
    seconds: int

    @property
    def is_exceeded(self) -> bool:
        return self.remaining < 0

    def add_to(self, headers: dict[str, str]) -> None:
        headers["RateLimit-Policy"] = f'"token";q={self.limit};w={WINDOW}'
        headers["RateLimit"] = f'"token";r={max(self.remaining, 0)};t={self.seconds}'


class Windows:
    """Counts requests by owner and generation, exactly, for all threads of the process.

    Windows are ordered by their beginning, so ended ones are at the front. Memory is bounded:
    above `MOST_REMEMBERED` the oldest window is dropped.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._windows: OrderedDict[tuple[int, int], tuple[float, int]] = OrderedDict()

    def take(self, owner_id: int, generation: int, limit: int) -> TokenQuota:
        """Count one request. Refused requests are not counted, so they do not prolong the wait."""
        key = (owner_id, generation)
        with self._lock:
            now = time.monotonic()
            began_at, taken = self._windows.get(key) or (now, 0)
            if not taken or now - began_at >= WINDOW:
                self._make_room(key, now)
                began_at, taken = now, 0
            if taken < limit:
                self._windows[key] = (began_at, taken + 1)
        # Not the end minus now: rounding of large floats could give 61 seconds.
        return TokenQuota(limit, limit - taken - 1, math.ceil(WINDOW - (now - began_at)))

    def __len__(self) -> int:
        return len(self._windows)

    def _make_room(self, key: tuple[int, int], now: float) -> None:
        self._windows.pop(key, None)
        while self._windows:
            oldest = next(iter(self._windows))
            if len(self._windows) < MOST_REMEMBERED and now - self._windows[oldest][0] < WINDOW:
                return
            del self._windows[oldest]


windows = Windows()


def count(environ: dict[str, Any], bearer: Bearer) -> None:
    """Count a request of a token, and keep its quota in the environment of the request for `add_headers`.

    Raises `Throttled` if the limit is exceeded.
    """
    if not settings.API_RATE_LIMIT:
        return
    environ[QUOTA] = quota = windows.take(bearer.owner_id, bearer.generation, settings.API_RATE_LIMIT)
    if quota.is_exceeded:
        raise Throttled(quota.seconds)


def add_headers(environ: Mapping[str, Any], headers: dict[str, str]) -> None:
    """Add the headers of the quota if the request was counted."""
    quota: TokenQuota | None = environ.get(QUOTA)
    if quota:
        quota.add_to(headers)


class ByAddress(BaseThrottle):
    """Limits requests without a token by IP address, for all processes, like the account pages.

    `action` is a key of `ACCOUNT_RATE_LIMITS`. allauth counts in the cache under a lock, and
    counts an IPv6 /64 as one address.
    """

    def __init__(self, action: str) -> None:
        self.action = action

    def allow_request(self, request: HttpRequest) -> bool:
        return bool(ratelimit.consume(request, action=self.action))

    def wait(self) -> float:
        # allauth does not return the exact wait; after a window at least one request is possible.
        return WINDOW


Run = Callable[..., HttpResponse]


def body_at_most(size: int) -> Callable[[Run], Run]:
    """Answer 413 to a request with a larger body, before it is read or parsed.

    For `ninja.decorators.decorate_view`. Checks the Content-Length, which a body in chunks has by now: Django reads no
    byte more.
    """

    def decorate(run: Run) -> Run:
        @wraps(run)
        def limited(request: HttpRequest, **parameters: Any) -> HttpResponse:
            announced = int(request.META.get("CONTENT_LENGTH") or 0)
            return errors.too_big(request) if announced > size else run(request, **parameters)

        return limited

    return decorate
