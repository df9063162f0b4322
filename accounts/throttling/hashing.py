"""Hashing passwords: few at a time in a process, and nobody stands in line for it.

A hash takes a processor, and up to 100 MiB where it is of an older kind. Two are made at a time and one more waits.
Others are refused at once: a thread that waits is one that serves nobody. Apart from these, one place to wait is kept
for people who have shown before who they are. It comes first, so no unknown browser keeps them out.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AT_ONCE = 2
# Who waits in which place. There is one of each.
ANYBODY, KNOWN = "anybody", "known"


class HashingBusy(Exception):
    """This process hashes as many passwords as it may, and has no place to wait for another."""


class Gate:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._hashing = 0
        self._waiting: set[str] = set()

    @contextmanager
    def place(self, may_use_kept: Callable[[], bool]) -> Iterator[None]:
        """Hold one of the places to hash in. Raises `HashingBusy` at once where there is none, and none to wait in.

        `may_use_kept` is asked only where the places for everybody are taken.
        """
        if not self._enter(ANYBODY) and not (may_use_kept() and self._enter(KNOWN)):
            raise HashingBusy
        try:
            yield
        finally:
            with self._changed:
                self._hashing -= 1
                self._changed.notify_all()

    def _enter(self, who: str) -> bool:
        """Wait until there is a place, and take it. False at once where somebody else waits so."""
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
