"""How many outbound calls may be under way, and how often: a call holds a thread of the server for seconds.

A person has one at a time, over all processes and machines, by an entry in the cache that outlives
the longest call. A process has at most a quarter of its threads for all of them. A window of counted
calls is a minute from its first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.throttling.counters import Limit, name_of

WINDOW = 60
# A person's turn ends by itself this long after the longest call would have: its process must have died.
SPARE_SECONDS = 10

threads = BoundedSemaphore(max(1, settings.THREADS // 4))


class Busy(Exception):
    """Another call is under way. The text is a sentence for people; `seconds` says when to try again."""

    seconds = 1


class TooMany(Exception):
    """One call too many within a minute; `seconds` says when the next may be made."""

    def __init__(self, seconds: int) -> None:
        told = ngettext(
            "Too many calls within a minute. Try again in %(seconds)d second.",
            "Too many calls within a minute. Try again in %(seconds)d seconds.",
            seconds,
        )
        super().__init__(told % {"seconds": seconds})
        self.seconds = seconds


@contextmanager
def turn(owner_id: int) -> Iterator[None]:
    """Hold an owner's turn and one of the threads for a call. Raises `Busy` or `TooMany`."""
    key = f"outbound.turn:{owner_id}"
    if not cache.add(key, True, settings.OUTBOUND_SECONDS + SPARE_SECONDS):
        raise Busy(_("Another call of yours is under way. Try again once it has ended."))
    try:
        _count(owner_id)
        if not threads.acquire(blocking=False):
            raise Busy(_("The server is busy with other calls. Try again in a moment."))
        try:
            yield
        finally:
            threads.release()
    finally:
        cache.delete(key)


def _count(owner_id: int) -> None:
    if not settings.OUTBOUND_RATE_LIMIT:
        return
    limit = Limit(name_of("outbound", str(owner_id)), settings.OUTBOUND_RATE_LIMIT, WINDOW)
    if limit.take() is None:
        raise TooMany(limit.seconds_left())
