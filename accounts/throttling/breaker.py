"""A breaker for what a process asks over the network, the database and the cache: at most one thread waits in vain."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

SECONDS_OF_NO_TRYING = 1.0
# What takes longer is waiting. Threads that share one processor get there by themselves within a fraction of it.
PATIENCE = 0.25
# An outage is over once so many seconds went by without an error of its kind.
SECONDS_OF_QUIET = 10.0


class OutOfReach(Exception):
    """Another thread waits, or has just waited in vain."""


class Breaker:
    def __init__(self, what: str = "database") -> None:
        self.what = what
        self._no_trying_until = 0.0
        self._is_suspect = False
        self._lock = Lock()
        self._entered_at = 0.0
        self._errors: dict[str, float] = {}

    def trip(self) -> None:
        """Note that somebody has waited in vain."""
        self._is_suspect = True
        self._no_trying_until = time.monotonic() + SECONDS_OF_NO_TRYING

    def check(self) -> None:
        """Raise `OutOfReach` within a second after somebody has waited in vain."""
        if self._no_trying_until and time.monotonic() < self._no_trying_until:
            raise OutOfReach(f"The {self.what} was out of reach a moment ago.")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let one thread in at a time.

        Raises `OutOfReach` as `check` does, and where the one inside has been there for `PATIENCE` seconds; after
        somebody has waited in vain, at once, until one has got through.
        """
        self.check()
        self._enter()
        try:
            # The one before may have waited in vain.
            self.check()
            yield
            self._is_suspect = False
        except BaseException:
            if time.monotonic() - self._entered_at > PATIENCE:
                self.trip()
            raise
        finally:
            self._lock.release()

    def is_new(self, kind: str) -> bool:
        """Tell whether an error begins an outage: none of its kind has just come."""
        now = time.monotonic()
        is_new = now - self._errors.get(kind, float("-inf")) > SECONDS_OF_QUIET
        self._errors[kind] = now
        return is_new

    def _enter(self) -> None:
        while not self._lock.acquire(timeout=0 if self._is_suspect else PATIENCE):
            if self._is_suspect or time.monotonic() - self._entered_at > PATIENCE:
                raise OutOfReach(f"The {self.what} has not answered for a while.")
        self._entered_at = time.monotonic()


cache = Breaker("cache")
