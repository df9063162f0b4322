"""How often the API may be called, by a token or by an address that bears none, and with how large a body.

A token's requests are counted after the bearer check, in the memory of each process. So
nothing positive is cached, a revoke is never delayed, and the bound is the limit times the
processes. A window is a minute from its first request: across the end of one, twice the
limit may pass within a minute. A new generation starts with a window of its own, lest an
owner who revokes a token because a stranger hammers with it stay shut out. Tokens that
nobody ever had are limited by `developers.bearer.unknown_tokens`, before the database is asked.

Answers tell the quota as draft-ietf-httpapi-ratelimit-headers-10 says, and a refusal also
as RFC 9110, section 10.2.3 (`Retry-After`).
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
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


@dataclass(frozen=True, slots=True)
class TokenQuota:
    """What is left of a token's requests in its window, which ends in `seconds`; `remaining` is -1 for one too many."""

    limit: int
    remaining: int
    seconds: int

    @property
    def is_exceeded(self) -> bool:
        return self.remaining < 0

    def add_to(self, response: HttpResponse) -> None:
        response["RateLimit-Policy"] = f'"token";q={self.limit};w={WINDOW}'
        response["RateLimit"] = f'"token";r={max(self.remaining, 0)};t={self.seconds}'


class Windows:
    """Counts requests by owner and generation, exactly and for all threads of the process.

    The windows lie in the order of their beginning, so those that have ended are found at
    the front. Memory is bounded: above `MOST_REMEMBERED` the oldest is forgotten, and its
    token starts anew.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._windows: OrderedDict[tuple[int, int], tuple[float, int]] = OrderedDict()

    def take(self, owner_id: int, generation: int, limit: int) -> TokenQuota:
        """Count one request. One too many is not counted: being refused prolongs nothing."""
        key = (owner_id, generation)
        with self._lock:
            now = time.monotonic()
            began_at, taken = self._windows.get(key) or (now, 0)
            if not taken or now - began_at >= WINDOW:
                self._make_room(key, now)
                began_at, taken = now, 0
            if taken < limit:
                self._windows[key] = (began_at, taken + 1)
        # Not the end less now: of large numbers that is a little more than a minute, and would be told as 61 seconds.
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


def count(request: HttpRequest, bearer: Bearer) -> None:
    """Count a request of a token, and leave its quota on the request for the answer to tell.

    Raises `Throttled` where it is one too many.
    """
    if not settings.API_RATE_LIMIT:
        return
    quota = windows.take(bearer.owner_id, bearer.generation, settings.API_RATE_LIMIT)
    request.quota = quota  # type: ignore[attr-defined]  # for `add_headers`
    if quota.is_exceeded:
        raise Throttled(quota.seconds)


def add_headers(request: HttpRequest, response: HttpResponse) -> None:
    """Tell the quota of the request's token in the answer, where it was counted."""
    quota: TokenQuota | None = getattr(request, "quota", None)
    if quota:
        quota.add_to(response)


class ByAddress(BaseThrottle):
    """Limits those who bear no token by their address, over all processes, as the account pages are limited.

    `action` is a key of `ACCOUNT_RATE_LIMITS`. allauth counts in the cache under a lock, and
    takes all of an IPv6 /64 for one.
    """

    def __init__(self, action: str) -> None:
        self.action = action

    def allow_request(self, request: HttpRequest) -> bool:
        return bool(ratelimit.consume(request, action=self.action))

    def wait(self) -> float:
        # At least one is free again by then: how long exactly, allauth does not tell.
        return WINDOW


Run = Callable[..., HttpResponse]


def body_at_most(size: int) -> Callable[[Run], Run]:
    """Answer 413 to a request whose body has more bytes, before any of it is read or parsed.

    For `ninja.decorators.decorate_view`. What the request announces is what counts: Django
    reads no byte more, and none where nothing is announced.
    """

    def decorate(run: Run) -> Run:
        @wraps(run)
        def limited(request: HttpRequest, **parameters: Any) -> HttpResponse:
            announced = int(request.META.get("CONTENT_LENGTH") or 0)
            return errors.too_big(request) if announced > size else run(request, **parameters)

        return limited

    return decorate
