"""Ends a running test at once, also from another process or machine.

The page that sends a test makes an id for it. Cancelling writes this id to the cache, where the process that runs
the test looks while it waits; in the same process it also wakes the test up. The id names one test, so cancelling
never ends an earlier or a later one.
"""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Self

from django.conf import settings
from django.core.cache import cache
from django.utils.formats import number_format

from developers.outbound.sentences import gettext as _

# How often a waiting test looks into the cache.
SECONDS_BETWEEN_LOOKS = 0.25
# The note in the cache outlives the longest possible call by this.
SPARE_SECONDS = 10
TEST_ID = re.compile(r"[0-9a-f]{32}")


class Cancelled(Exception):
    """The call was cancelled. The text is a sentence for the user."""


class Cancellation:
    """Whether one test of an account was cancelled. `is_sent`: whether a part of the request has left."""

    def __init__(self, owner_id: int, test_id: str) -> None:
        self._key, self._test_id = _key(owner_id), test_id
        self._began_at = self._looks_at = time.monotonic()
        self._is_cancelled = False
        self._woken, self._waker = socket.socketpair()
        self.is_sent = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._woken.close()
        self._waker.close()

    def fileno(self) -> int:
        """The file descriptor that becomes readable once this process cancels the test."""
        return self._woken.fileno()

    def wake(self) -> None:
        """Cancel the test from another thread."""
        if not self._is_cancelled:
            self._is_cancelled = True
            self._waker.send(b"\0")

    def check(self) -> None:
        """Raise `Cancelled` if somebody has cancelled the test."""
        now = time.monotonic()
        if not self._is_cancelled and now >= self._looks_at:
            self._looks_at = now + SECONDS_BETWEEN_LOOKS
            # Without the cache `cancel` is refused, and this call goes on.
            with suppress(Exception):
                self._is_cancelled = cache.get(self._key) == self._test_id
        if self._is_cancelled:
            seconds = number_format(now - self._began_at, 1)
            if self.is_sent:
                raise Cancelled(
                    _("Cancelled after %(seconds)s s. The server may have got the request.") % {"seconds": seconds}
                )
            raise Cancelled(_("Cancelled after %(seconds)s s, before the request was sent.") % {"seconds": seconds})


_lock = Lock()
_running: dict[tuple[int, str], Cancellation] = {}


@contextmanager
def cancellable(owner_id: int, test_id: str) -> Iterator[Cancellation | None]:
    """Let `cancel` end what runs inside. Without a valid id nothing can, and None is yielded."""
    if not TEST_ID.fullmatch(test_id):
        yield None
        return
    with Cancellation(owner_id, test_id) as cancellation:
        with _lock:
            _running[owner_id, test_id] = cancellation
        try:
            yield cancellation
        finally:
            with _lock:
                del _running[owner_id, test_id]


def cancel(owner_id: int, test_id: str) -> None:
    """End the account's test of this id, wherever it runs. One that has not begun yet ends before it is sent."""
    if not TEST_ID.fullmatch(test_id):
        return
    cache.set(_key(owner_id), test_id, settings.OUTBOUND_SECONDS + SPARE_SECONDS)
    with _lock:
        running = _running.get((owner_id, test_id))
        if running:
            running.wake()


def _key(owner_id: int) -> str:
    # One for each account, which makes one call at a time: so nobody fills the cache.
    return f"outbound.cancelled:{owner_id}"
