"""Bounds the cost of revoked tokens: each process writes the refusals of one at most once a minute."""

import time
from collections import OrderedDict
from threading import Lock

from accounts.web.clients import Client

INTERVAL = 60.0
MOST_REMEMBERED = 10_000
MOST_TAKEN = 500


class RefusalCounts:
    """Counts refusals by revoked token, and says when to write them to the database.

    Counts that are not written yet are lost when the process is killed, so the numbers on the page are
    minimums. Memory is bounded: the token refused least recently is dropped first.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: OrderedDict[int, tuple[float, int, Client | None]] = OrderedDict()

    def add(self, revoked_id: int, client: Client | None = None) -> int:
        """Count one refusal, and return how many to write now (0: none yet)."""
        now = time.monotonic()
        with self._lock:
            written_at, pending, _last = self._counts.pop(revoked_id, (-INTERVAL, 0, None))
            pending += 1
            due = now - written_at >= INTERVAL
            self._counts[revoked_id] = (now, 0, client) if due else (written_at, pending, client)
            if len(self._counts) > MOST_REMEMBERED:
                self._counts.popitem(last=False)
        return pending if due else 0

    def take(self) -> dict[int, tuple[int, Client]]:
        """Return up to 500 counts that wait, with the last client of each, to write them now."""
        now = time.monotonic()
        with self._lock:
            waiting = [(each, count, client) for each, (_, count, client) in self._counts.items() if count and client]
            taken = {each: (count, client) for each, count, client in waiting[:MOST_TAKEN]}
            for revoked_id, (_count, client) in taken.items():
                self._counts[revoked_id] = (now, 0, client)
        return taken

    def give_back(self, revoked_id: int, count: int) -> None:
        """Count again what could not be written, unless its token was dropped meanwhile."""
        with self._lock:
            if revoked_id in self._counts:
                written_at, pending, client = self._counts[revoked_id]
                self._counts[revoked_id] = (written_at, pending + count, client)


refusal_counts = RefusalCounts()
