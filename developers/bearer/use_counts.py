"""Counts the uses of tokens by program and address, in memory.

The bearer check only counts. A thread writes the counts of its process once a minute, and a graceful stop writes the
rest, so a process that is killed loses at most its last minute. Memory is bounded.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from multiprocessing.util import Finalize
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

from django.db import connections

from accounts.web.clients import USER_AGENT_LENGTH
from developers.bearer.known_uses import KnownUses
from developers.programs import SeenUses, UseKey, network_of, program_of

logger = logging.getLogger(__name__)

# Seconds. Less than a minute, so that a burst is written within one.
INTERVAL = 55.0
# Seconds until what could not be written is tried again, such as after another write held a lock.
RETRY_INTERVAL = 5.0
# Seconds for which a stop tries, since other processes may stop and write then, too, and between its attempts.
STOP_PATIENCE, STOP_PAUSE = 2.0, 0.2
MOST_COUNTS = 10_000
MOST_CLIENTS = 10_000


class OwnersUse(NamedTuple):
    """What one row counts."""

    owner_id: int
    day: date
    use: UseKey


@dataclass(slots=True)
class Count:
    """A number of calls, and the times of the first and the last one, in seconds since 1970."""

    number: int
    first_at: float
    last_at: float

    def add(self, other: "Count") -> None:
        self.number += other.number
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)


Counts = dict[OwnersUse, Count]


class Timing:
    """Whether this process writes by a timer. A process that only runs commands does not."""

    is_on = False


class UseCounts:
    """The counts of this process. `write` returns the counts that could not be written."""

    def __init__(self, write: Callable[[Counts], Counts], seconds: float = INTERVAL) -> None:
        self._write, self._seconds = write, seconds
        self._lock, self._writing, self._is_over = Lock(), Lock(), Event()
        self._timer: Thread | None = None
        # `write` reads it, so that a flood of new names does not take the places of known ones in memory either.
        self.known = KnownUses()
        self._forget()

    def _forget(self) -> None:
        self._counts: Counts = {}
        # By what a request holds, so that names are read once a minute and client.
        self._by_client: dict[tuple[Any, ...], Count] = {}
        self._seen: dict[tuple[int, date], SeenUses] = {}

    def add(self, owner_id: int, generation: int, meta: Mapping[str, Any], *, is_refused: bool) -> None:
        """Count one call with a token of this generation, by the headers of its request."""
        agent = meta.get("HTTP_USER_AGENT", "")[:USER_AGENT_LENGTH]
        client = (owner_id, generation, is_refused, meta.get("REMOTE_ADDR", ""), agent)
        now = time.time()
        with self._lock:
            count = self._by_client.get(client)
            if count:
                count.number += 1
                count.last_at = now
                return
        # Others need not wait while names are read.
        use = UseKey(program_of(agent), network_of(client[-2]), generation, is_refused)
        with self._lock:
            # For a minute after midnight, a client that was just counted is counted for the day before.
            count = self._count(owner_id, datetime.fromtimestamp(now, UTC).date(), use, now)
            count.add(Count(1, now, now))
            if len(self._by_client) >= MOST_CLIENTS:
                self._by_client.clear()
            self._by_client[client] = count
            if Timing.is_on and self._timer is None:
                self._start_timer()

    def _count(self, owner_id: int, day: date, use: UseKey, now: float) -> Count:
        """Return where to count a use; beyond the bounds, a count that nobody writes."""
        nothing = Count(0, now, now)
        seen = self._seen.get((owner_id, day))
        if seen is None:
            seen = self._seen[owner_id, day] = SeenUses((), self.known.of(owner_id))
        kept = seen.add(use)
        key = OwnersUse(owner_id, day, kept) if kept else None
        if key is None or (key not in self._counts and len(self._counts) >= MOST_COUNTS):
            return nothing
        return self._counts.setdefault(key, nothing)

    def flush(self) -> bool:
        """Write what was counted. What cannot be written now is kept for the next time. Return whether all is done."""
        with self._writing:
            with self._lock:
                counts = self._counts
                self._forget()
            left = self._write(counts) if counts else {}
            with self._lock:
                for (owner_id, day, use), count in left.items():
                    self._count(owner_id, day, use, count.first_at).add(count)
            return not left

    def stop(self) -> None:
        """End the timer, and write what was counted."""
        self._is_over.set()
        gives_up_at = time.monotonic() + STOP_PATIENCE
        # An attempt alone may take longer, if the database is out of reach.
        while not self._flush_and_log() and time.monotonic() < gives_up_at:
            time.sleep(STOP_PAUSE)

    def _start_timer(self) -> None:
        """Start in the process that serves: a thread of its parent would not survive the fork."""
        self._timer = Thread(target=self._flush_by_timer, name="token-uses", daemon=True)
        self._timer.start()
        # Runs at the end of a worker of Granian, where `atexit` does not.
        Finalize(None, self.stop, exitpriority=0)

    def _flush_by_timer(self) -> None:
        pause, retry = self._seconds, RETRY_INTERVAL
        while not self._is_over.wait(pause):
            if self._flush_and_log():
                pause, retry = self._seconds, RETRY_INTERVAL
            else:
                # Longer each time, so that an outage does not fill the log.
                pause, retry = min(self._seconds, retry), 2 * retry
            # The next minute may be long after a restart of the database.
            connections.close_all()

    def _flush_and_log(self) -> bool:
        """Write what was counted, and return whether nothing waits."""
        try:
            return self.flush()
        except Exception:  # neither a stop nor the next minute depends on it
            logger.exception("Uses of tokens were not written.")
            return True
