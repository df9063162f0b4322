"""Bounds the cost of revoked tokens: each process writes the refusals of one at most once a minute."""

import time
from collections import OrderedDict
from threading import Lock

INTERVAL = 60.0
MOST_REMEMBERED = 10_000


class RefusalCounts:
    """Counts refusals by revoked token, and says when to write them to the database.

    Counts that are not written yet are lost when the process ends, so the numbers on the page are
    minimums. Memory is bounded: the token refused least recently is dropped first.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: OrderedDict[int, tuple[float, int]] = OrderedDict()

    def add(self, revoked_id: int) -> int:
        """Count one refusal, and return how many to write now (0: none yet)."""
        now = time.monotonic()
        with self._lock:
            written_at, pending = self._counts.pop(revoked_id, (-INTERVAL, 0))
            pending += 1
            due = now - written_at >= INTERVAL
            self._counts[revoked_id] = (now, 0) if due else (written_at, pending)
            if len(self._counts) > MOST_REMEMBERED:
                self._counts.popitem(last=False)
        return pending if due else 0


refusal_counts = RefusalCounts()
