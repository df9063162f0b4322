"""A circuit breaker for services that may not answer, the database and the cache: at most one thread waits in vain."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

OPEN_SECONDS = 1.0
# An error that took longer counts as a wait in vain.
SLOW_ERROR_SECONDS = 0.25
# A thread waits for the one inside in short waits, and counts these instead of seconds. Together they last a quarter of
# a second. In a busy process every thread waits for the interpreter's lock: then the waits last longer in the same
# measure as the work of the thread inside, which needs that lock some twenty times.
MOST_WAITS, WAIT_SECONDS = 50, 0.005
# An outage is over after this many seconds without an error of its kind.
QUIET_SECONDS = 10.0


class OutOfReach(Exception):
    """The service is not asked: another thread is waiting for it, or has just waited in vain."""


class Breaker:
    def __init__(self, what: str = "database") -> None:
        self.what = what
        self._open_until = 0.0
        self._is_suspect = False
        self._lock = Lock()
        self._entered_at = 0.0
        self._errors: dict[str, float] = {}

    def trip(self) -> None:
        """Open the breaker: a thread has waited in vain."""
        self._is_suspect = True
        self._open_until = time.monotonic() + OPEN_SECONDS

    def check(self) -> None:
        """Raise `OutOfReach` for a second after a thread has waited in vain."""
        if self._open_until and time.monotonic() < self._open_until:
            raise OutOfReach(f"The {self.what} was out of reach a moment ago.")

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Let one thread in at a time.

        Raises `OutOfReach` as `check` does, and where the thread inside stays for `MOST_WAITS` waits. After a thread
        has waited in vain it raises at once, until one gets through.
        """
        self.check()
        self._enter()
        try:
            # The thread before may have waited in vain.
            self.check()
            yield
            self._is_suspect = False
        except BaseException:
            if time.monotonic() - self._entered_at > SLOW_ERROR_SECONDS:
                self.trip()
            raise
        finally:
            self._lock.release()

    def is_new(self, kind: str) -> bool:
        """Return whether an error begins an outage: there was no error of its kind just before."""
        now = time.monotonic()
        is_new = now - self._errors.get(kind, float("-inf")) > QUIET_SECONDS
        self._errors[kind] = now
        return is_new

    def _enter(self) -> None:
        waits, entered_at = 0, self._entered_at
        while not self._lock.acquire(timeout=0 if self._is_suspect else WAIT_SECONDS):
            waits, entered_at = (waits + 1 if entered_at == self._entered_at else 1), self._entered_at
            if self._is_suspect or waits == MOST_WAITS:
                raise OutOfReach(f"The {self.what} has not answered for a while.")
        self._entered_at = time.monotonic()


cache = Breaker("cache")
