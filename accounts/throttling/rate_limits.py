"""Rate limits: `ACCOUNT_RATE_LIMITS`, counted by `accounts.throttling.counters`, and how long to wait.

`consume` and `clear` stand in for allauth's own, which keep a list of moments in the cache: `accounts.apps`
puts them there, so allauth's pages are counted like ours.

An IPv6 /64 counts as one address: it is what one connection is given at least (RFC 6177).
"""

import math
from typing import Any, NoReturn

from allauth.core.exceptions import RateLimited
from allauth.core.internal import ratelimit
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.throttling.counters import Limit, name_of

APP = "allauth.account"
MINUTE, HOUR = 60, 3600
TOO_MANY = _("Too many attempts. Try again in %(wait)s.")


class RateLimitUsage:
    """What one attempt has counted."""

    def __init__(self) -> None:
        self.counted: list[tuple[Limit, int]] = []

    def take(self, limit: Limit) -> bool:
        taken_at = limit.take()
        if taken_at is not None:
            self.counted.append((limit, taken_at))
        return taken_at is not None

    def rollback(self) -> None:
        for limit, taken_at in self.counted:
            limit.give_back(taken_at)
        self.counted.clear()


def limits_of(request: HttpRequest, action: str, *, app: str = APP, config: Any = None, **whose: Any) -> list[Limit]:
    """Return the limits of an action for who is asking, or for a key."""
    return [
        Limit(
            name_of(action, ratelimit.get_cache_key(request, app=app, action=action, rate=rate, **whose)),
            rate.amount,
            rate.duration,
        )
        for rate in ratelimit.get_rates(app=app, action=action, config=config)
    ]


def consume(  # noqa: PLR0913 - allauth's
    request: HttpRequest,
    *,
    app: str,
    action: str,
    dry_run: bool = False,
    limit_get: bool = False,
    raise_exception: bool = False,
    **whose: Any,
) -> RateLimitUsage | None:
    """Count an attempt under all limits of its action, or under none, and then return None.

    As allauth's: a GET is counted only with `limit_get`, nothing by a dry run. Raises `RateLimited` where that is
    asked for.
    """
    usage = RateLimitUsage()
    if request.method == "GET" and not limit_get:
        return usage
    for limit in limits_of(request, action, app=app, **whose):
        if not (limit.is_free() if dry_run else usage.take(limit)):
            usage.rollback()
            if raise_exception:
                raise RateLimited
            return None
    return usage


def clear(request: HttpRequest, *, app: str, action: str, **whose: Any) -> None:
    """Forget what was counted for an action."""
    for limit in limits_of(request, action, app=app, **whose):
        limit.clear()


class Attempt:
    """What one attempt has taken of its limits."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.usages: list[RateLimitUsage] = []

    def take(self, action: str, key: str | None = None, *, text: Promise = TOO_MANY) -> None:
        """Count the attempt. Where it is one too many it takes nothing.

        Raises `ValidationError` with a text that says how long to wait, and has the answer say so too.
        """
        if not self.may_take(action, key):
            self.refuse(seconds_left(self.request, action, key), text)

    def refuse(self, seconds: int, text: Promise = TOO_MANY) -> NoReturn:
        """Give back what was taken. Raises `ValidationError`, as `take` does."""
        self.give_back()
        self.request.retry_after = seconds  # type: ignore[attr-defined]  # for accounts.middleware.report_rate_limits
        raise ValidationError(text % {"wait": in_words(seconds)}, code="too_many_attempts")

    def may_take(self, action: str, key: str | None = None) -> bool:
        """Count the attempt, unless it is one too many."""
        usage = consume(self.request, app=APP, action=action, key=key)
        if usage:
            self.usages.append(usage)
        return bool(usage)

    def give_back(self) -> None:
        for usage in self.usages:
            usage.rollback()


def undo_when_busy(request: HttpRequest, attempt: Attempt) -> None:
    """Have an attempt give back what it took where the request is refused before it was made."""
    request.undone_when_busy = [*getattr(request, "undone_when_busy", []), attempt]  # type: ignore[attr-defined]


def undo(request: HttpRequest) -> None:
    for attempt in getattr(request, "undone_when_busy", []):
        attempt.give_back()


def seconds_left(request: HttpRequest, action: str, key: str | None = None) -> int:
    """Return how long an action remains closed: at least a second, as when too many asked in the same instant."""
    return max(limit.seconds_left() for limit in limits_of(request, action, key=key))


def in_words(seconds: int) -> str:
    """Say a wait in its largest unit, rounded up: "40 seconds", "5 minutes", "3 hours"."""
    if seconds <= MINUTE:
        return ngettext("%d second", "%d seconds", seconds) % seconds
    if seconds <= HOUR:
        minutes = math.ceil(seconds / MINUTE)
        return ngettext("%d minute", "%d minutes", minutes) % minutes
    hours = math.ceil(seconds / HOUR)
    return ngettext("%d hour", "%d hours", hours) % hours
