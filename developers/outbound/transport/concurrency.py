"""Limits the concurrency and the rate of outbound calls: each call occupies a server thread for seconds.

An account makes one call at a time, across all processes and machines: an entry in the cache, which
outlives the longest call, is its lock. Each process has a number of slots for the calls of all accounts.
No call waits for a slot in a thread: it is refused at once, and its account is queued. A call counts
towards the rate limit once it has a slot; a window is one minute from its first counted call.
"""

import logging
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

logger = logging.getLogger(__name__)

WINDOW = 60
# The lock of an account expires this long after the longest possible call, in case its process died.
SPARE_SECONDS = 10
# A refused account stays queued this long after its last attempt; a client that honours `Retry-After` asks sooner.
SECONDS_WAITING = 5
# Far more accounts than can make calls while one is queued.
MOST_REMEMBERED = 1_000


class NoFreeSlot(Exception):
    """Another call is running. The text is a sentence for the user; `seconds`: when to try again."""

    seconds = 1


class TooManyCalls(Exception):
    """The account has used up its calls of a minute. `seconds`: until the next one is allowed."""

    def __init__(self, seconds: int) -> None:
        sentence = ngettext(
            "Too many calls within a minute. Try again in %(seconds)d second.",
            "Too many calls within a minute. Try again in %(seconds)d seconds.",
            seconds,
        )
        super().__init__(sentence % {"seconds": seconds})
        self.seconds = seconds


class CallSlots:
    """The slots for outbound calls in one process, shared fairly between accounts.

    The queued account whose last call is longest ago comes first; of accounts without a call yet, the one that
    asked first. So no account gets a second slot before another one that was refused gets its first.
    """

    def __init__(self, slots: int) -> None:
        self._lock = Lock()
        self._slots = slots
        self._calling: set[int] = set()
        self._waiting_until: dict[int, float] = {}
        self._last_held: dict[int, int] = {}
        self._order = count(1)

    @contextmanager
    def hold(self, owner_id: int) -> Iterator[None]:
        """Hold a slot for a call of an account. Raises `NoFreeSlot`."""
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
                raise NoFreeSlot(_own_call())
            self._waiting_until = {other: until for other, until in self._waiting_until.items() if until > now}
            # A queued account keeps its position in the dict.
            self._waiting_until[owner_id] = now + SECONDS_WAITING
            waiting = sorted(self._waiting_until, key=lambda other: self._last_held.get(other, 0))
            if waiting.index(owner_id) >= self._slots - len(self._calling):
                raise NoFreeSlot(_("The server is busy with other calls. Try again in a moment."))
            del self._waiting_until[owner_id]
            self._calling.add(owner_id)
            self._remember(owner_id)

    def _remember(self, owner_id: int) -> None:
        self._last_held.pop(owner_id, None)
        self._last_held[owner_id] = next(self._order)
        if len(self._last_held) > MOST_REMEMBERED:
            del self._last_held[next(iter(self._last_held))]


def slots_for(threads: int) -> int:
    """Return how many of a process's threads may run outbound calls: half, so that pages and the API still work."""
    return max(1, threads // 2)


call_slots = CallSlots(slots_for(settings.THREADS))


@contextmanager
def hold_slot(owner_id: int) -> Iterator[None]:
    """Hold a slot and the account's lock during a call, and count the call. Raises `NoFreeSlot` or `TooManyCalls`.

    A refused call is not counted, and writes nothing.
    """
    with call_slots.hold(owner_id):
        limit = Limit(name_of("outbound", str(owner_id)), settings.OUTBOUND_RATE_LIMIT, WINDOW)
        is_limited = bool(limit.amount)
        if is_limited and not limit.is_free():
            raise TooManyCalls(limit.seconds_left())
        with _one_at_a_time(owner_id):
            # Another process may have counted a call meanwhile.
            if is_limited and limit.take() is None:
                raise TooManyCalls(limit.seconds_left())
            yield


@contextmanager
def _one_at_a_time(owner_id: int) -> Iterator[None]:
    key = f"outbound.turn:{owner_id}"
    if not cache.add(key, True, settings.OUTBOUND_SECONDS + SPARE_SECONDS):
        raise NoFreeSlot(_own_call())
    try:
        yield
    finally:
        try:
            cache.delete(key)
        except Exception as error:  # noqa: BLE001 - the call was made, and its result counts
            logger.warning("The next outbound call of user %s waits for the time-out of this one: %s", owner_id, error)


def _own_call() -> str:
    return _("Another call of yours is under way. Try again once it has ended.")
