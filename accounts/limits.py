"""Rate limits: `ACCOUNT_RATE_LIMITS`, counted by allauth in the cache that all processes share, and how long to wait.

An IPv6 /64 counts as one address: it is what one connection is given at least (RFC 6177).
"""

import math
import time

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

APP = "allauth.account"
MINUTE, HOUR = 60, 3600
TOO_MANY = _("Too many attempts. Try again in %(wait)s.")


class Taken:
    """What one attempt has taken of its limits."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.usages: list[ratelimit.RateLimitUsage] = []

    def take(self, action: str, key: str | None = None, *, text: Promise = TOO_MANY) -> None:
        """Count the attempt. Where it is one too many it takes nothing.

        Raises `ValidationError` with a text that says how long to wait, and has the answer say so too.
        """
        if not self.may_take(action, key):
            self.give_back()
            seconds = seconds_left(self.request, action, key)
            self.request.retry_after = seconds  # type: ignore[attr-defined]  # for accounts.middleware.tell_limits
            raise ValidationError(text % {"wait": in_words(seconds)}, code="too_many_attempts")

    def may_take(self, action: str, key: str | None = None) -> bool:
        """Count the attempt, unless it is one too many."""
        usage = ratelimit.consume(self.request, app=APP, action=action, key=key)
        if usage:
            self.usages.append(usage)
        return bool(usage)

    def give_back(self) -> None:
        for usage in self.usages:
            usage.rollback()


def seconds_left(request: HttpRequest, action: str, key: str | None = None) -> int:
    """Return how long an action remains closed: at least a second, as when too many asked in the same instant."""
    now, waits = time.time(), [1.0]
    for rate in ratelimit.get_rates(app=APP, action=action):
        cache_key = ratelimit.get_cache_key(request, app=APP, action=action, rate=rate, key=key)
        is_open, history = ratelimit.apply_rate(cache.get(cache_key, []), now, rate, dry_run=True)
        if not is_open:
            waits.append(history[-1] + rate.duration - now)
    return math.ceil(max(waits))


def in_words(seconds: int) -> str:
    """Say a wait in its largest unit, rounded up: "40 seconds", "5 minutes", "3 hours"."""
    if seconds <= MINUTE:
        return ngettext("%d second", "%d seconds", seconds) % seconds
    if seconds <= HOUR:
        minutes = math.ceil(seconds / MINUTE)
        return ngettext("%d minute", "%d minutes", minutes) % minutes
    hours = math.ceil(seconds / HOUR)
    return ngettext("%d hour", "%d hours", hours) % hours
