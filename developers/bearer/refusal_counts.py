"""Bounds on what revoked tokens may cost: each process writes a sighting of one at most once a minute."""

import time
from collections import OrderedDict
from threading import Lock

INTERVAL = 60.0
MOST_REMEMBERED = 10_000


class RefusalCounts:
    """Counts refusals by revoked token, and says when it is time to write them down.

    What has been counted and not yet written is lost with the process, so the numbers on
    the page are "at least". Memory is bounded: the token seen least recently is forgotten.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: OrderedDict[int, tuple[float, int]] = OrderedDict()

    def add(self, revoked_id: int) -> int:
        """Count one more, and return how many to write now (0: none yet)."""
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
