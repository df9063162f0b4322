"""How many outbound calls may be under way, and how often: a call holds a thread of the server for seconds.

An account has one at a time, over all processes and machines, by an entry in the cache that outlives
the longest call. A process has places for all of them together, and no call waits for one in a thread:
it is refused at once, and its account stands in a line instead. A call is counted once it has a place;
a window of counted calls is a minute from its first.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.throttling.counters import Limit, name_of

WINDOW = 60
# A person's turn ends by itself this long after the longest call would have: its process must have died.
SPARE_SECONDS = 10
# A refused account stands in the line for so long after it last asked, which a client that heeds `Retry-After` does.
SECONDS_IN_LINE = 5
# More accounts than that call nobody in turn within the time of a few calls.
MOST_REMEMBERED = 1_000


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


class Line:
    """The places for outbound calls in one process, shared by account.

    A place goes to an account only where it is not needed for those in the line whose last turn was longer ago, so an
    account that was refused calls before any other calls a second time. Of those without a turn yet the first who
    asked comes first.
    """

    def __init__(self, places: int) -> None:
        self._lock = Lock()
        self._places = places
        self._calling: set[int] = set()
        self._ends_at: dict[int, float] = {}
        self._last_turn: dict[int, int] = {}
        self._turns = count(1)

    @contextmanager
    def place(self, owner_id: int) -> Iterator[None]:
        """Hold a place for a call of an account. Raises `Busy`."""
        self._enter(owner_id)
        try:
            yield
        finally:
            with self._lock:
                self._calling.remove(owner_id)

    def _enter(self, owner_id: int) -> None:
        now = time.monotonic()
        with self._lock:
            if owner_id in self._calling:
                raise Busy(_own_call())
            self._ends_at = {other: ends_at for other, ends_at in self._ends_at.items() if ends_at > now}
            # One who is in the line already keeps the position.
            self._ends_at[owner_id] = now + SECONDS_IN_LINE
            line = sorted(self._ends_at, key=lambda other: self._last_turn.get(other, 0))
            if line.index(owner_id) >= self._places - len(self._calling):
                raise Busy(_("The server is busy with other calls. Try again in a moment."))
            del self._ends_at[owner_id]
            self._calling.add(owner_id)
            self._remember(owner_id)

    def _remember(self, owner_id: int) -> None:
        self._last_turn.pop(owner_id, None)
        self._last_turn[owner_id] = next(self._turns)
        if len(self._last_turn) > MOST_REMEMBERED:
            del self._last_turn[next(iter(self._last_turn))]


def places_of(threads: int) -> int:
    """Return how many of a process's threads may hold outbound calls: half at most, so that pages and the API go on."""
    return max(1, threads // 2)


line = Line(places_of(settings.THREADS))


@contextmanager
def turn(owner_id: int) -> Iterator[None]:
    """Hold a place for a call, and an account's one turn, and count it. Raises `Busy` or `TooMany`.

    A refused call is not counted, and writes nothing.
    """
    with line.place(owner_id):
        limit = Limit(name_of("outbound", str(owner_id)), settings.OUTBOUND_RATE_LIMIT, WINDOW)
        is_limited = bool(limit.amount)
        if is_limited and not limit.is_free():
            raise TooMany(limit.seconds_left())
        with _alone(owner_id):
            # Another process may have counted one meanwhile.
            if is_limited and limit.take() is None:
                raise TooMany(limit.seconds_left())
            yield


@contextmanager
def _alone(owner_id: int) -> Iterator[None]:
    key = f"outbound.turn:{owner_id}"
    if not cache.add(key, True, settings.OUTBOUND_SECONDS + SPARE_SECONDS):
        raise Busy(_own_call())
    try:
        yield
    finally:
        cache.delete(key)


def _own_call() -> str:
    return _("Another call of yours is under way. Try again once it has ended.")
