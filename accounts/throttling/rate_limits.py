"""Rate limits: `ACCOUNT_RATE_LIMITS`, counted by `accounts.throttling.counters`, and how long to wait.

`consume` and `clear` replace allauth's own, which keep a list of times in the cache. `accounts.apps` installs them, so
allauth's pages use the same counters.

An IPv6 /64 counts as one address: a connection has at least that (RFC 6177).
"""

import math
from datetime import timedelta
from typing import Any, NoReturn

from allauth.core.exceptions import RateLimited
from allauth.core.internal import ratelimit
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.throttling.counters import Limit, name_of
from accounts.web import formats

APP = "allauth.account"
MINUTE, HOUR = 60, 3600
# Translators: %(when)s is "in 5 minutes".
TOO_MANY = _("Too many attempts. Try again %(when)s.")


class RateLimitUsage:
    """The limits under which one attempt was counted."""

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
    """Return the limits of an action for the client of the request, or for a key."""
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
    """Count an attempt under all limits of its action; if one is reached, count nothing and return None.

    As in allauth, a GET is counted only with `limit_get`, and a dry run counts nothing. With `raise_exception` it
    raises `RateLimited` instead of returning None.
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
    """Clear the counts of an action."""
    for limit in limits_of(request, action, app=app, **whose):
        limit.clear()


class Attempt:
    """An attempt, and what it has counted under its limits."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.usages: list[RateLimitUsage] = []

    def take(self, action: str, key: str | None = None, *, text: Promise = TOO_MANY) -> None:
        """Count the attempt, or nothing where a limit is reached.

        Raises `ValidationError` with a text that says how long to wait. The response then has a `Retry-After` header.
        """
        if not self.may_take(action, key):
            self.refuse(seconds_left(self.request, action, key), text)

    def refuse(self, seconds: int, text: Promise = TOO_MANY) -> NoReturn:
        """Undo all counts of the attempt. Raises `ValidationError`, as `take` does."""
        self.give_back()
        self.request.retry_after = seconds  # type: ignore[attr-defined]  # for accounts.middleware.report_rate_limits
        wait = rounded_up(seconds)
        words = {"wait": formats.duration(wait), "when": formats.from_now(wait)}
        raise ValidationError(text % words, code="too_many_attempts")

    def may_take(self, action: str, key: str | None = None) -> bool:
        """Count the attempt, and return True, unless a limit is reached."""
        usage = consume(self.request, app=APP, action=action, key=key)
        if usage:
            self.usages.append(usage)
        return bool(usage)

    def give_back(self) -> None:
        for usage in self.usages:
            usage.rollback()


def undo_when_busy(request: HttpRequest, attempt: Attempt) -> None:
    """Undo the attempt if the server is too busy to carry it out."""
    request.undone_when_busy = [*getattr(request, "undone_when_busy", []), attempt]  # type: ignore[attr-defined]


def undo(request: HttpRequest) -> None:
    for attempt in getattr(request, "undone_when_busy", []):
        attempt.give_back()


def seconds_left(request: HttpRequest, action: str, key: str | None = None) -> int:
    """Return the seconds until an action is allowed again, at least 1."""
    return max(limit.seconds_left() for limit in limits_of(request, action, key=key))


def rounded_up(seconds: int) -> timedelta:
    """Return whole seconds, minutes or hours."""
    unit = 1 if seconds <= MINUTE else MINUTE if seconds <= HOUR else HOUR
    return timedelta(seconds=math.ceil(seconds / unit) * unit)
