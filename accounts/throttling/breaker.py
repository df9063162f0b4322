"""A breaker for what a process asks over the network, the database and the cache: at most one thread waits in vain."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

SECONDS_OF_NO_TRYING = 1.0
# An error that took longer was waited for.
SECONDS_IN_VAIN = 0.25
# Whoever waits for the one inside does so in short waits, and counts these instead of seconds. Together they last a
# quarter of a second. Where the threads of a process are busy, each of them needs the interpreter's lock to go on, and
# the waits last longer in the same measure as the turn of the one inside, which needs that lock some twenty times.
WAITS, SECONDS_OF_A_WAIT = 50, 0.005
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

        Raises `OutOfReach` as `check` does, and where the one inside stays there for `WAITS` waits; after somebody has
        waited in vain, at once, until one has got through.
        """
        self.check()
        self._enter()
        try:
            # The one before may have waited in vain.
            self.check()
            yield
            self._is_suspect = False
        except BaseException:
            if time.monotonic() - self._entered_at > SECONDS_IN_VAIN:
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
        waits, entered_at = 0, self._entered_at
        while not self._lock.acquire(timeout=0 if self._is_suspect else SECONDS_OF_A_WAIT):
            waits, entered_at = (waits + 1 if entered_at == self._entered_at else 1), self._entered_at
            if self._is_suspect or waits == WAITS:
                raise OutOfReach(f"The {self.what} has not answered for a while.")
        self._entered_at = time.monotonic()


cache = Breaker("cache")
