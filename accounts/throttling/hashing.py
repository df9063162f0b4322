"""Limits how many passwords a process hashes at a time, without a queue.

A hash takes a processor, and up to 100 MiB where it is of an older kind. Two are computed at a time and one more waits.
Others are refused at once: a waiting thread serves nobody. One more waiting place is reserved for people who have
authenticated before. It comes first, so unknown browsers cannot keep them out.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AT_ONCE = 2
# The two waiting places, one of each.
ANYBODY, KNOWN = "anybody", "known"


class HashingBusy(Exception):
    """This process hashes as many passwords as it may, and the waiting places are taken."""


class Gate:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._hashing = 0
        self._waiting: set[str] = set()

    @contextmanager
    def place(self, may_use_reserved: Callable[[], bool]) -> Iterator[None]:
        """Hold one of the places to hash in. Raises `HashingBusy` at once where it can neither enter nor wait.

        `may_use_reserved` is called only where the places for everybody are taken.
        """
        if not self._enter(ANYBODY) and not (may_use_reserved() and self._enter(KNOWN)):
            raise HashingBusy
        try:
            yield
        finally:
            with self._changed:
                self._hashing -= 1
                self._changed.notify_all()

    def _enter(self, who: str) -> bool:
        """Wait until there is a place, and take it. Return False at once where the waiting place is taken."""
        with self._changed:
            if who in self._waiting:
                return False
            self._waiting.add(who)
            self._changed.wait_for(lambda: self._hashing < AT_ONCE and (who == KNOWN or KNOWN not in self._waiting))
            self._waiting.remove(who)
            self._hashing += 1
            self._changed.notify_all()
            return True


gate = Gate()
