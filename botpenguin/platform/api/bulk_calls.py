"""Limits simultaneous bulk calls in a process: one an account, and half of the threads for all accounts.

Others are refused at once and no thread waits, so that a revoke always finds a free thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.conf import settings

from botpenguin.platform.api.errors import RetryLater

# Contacts and tags. Calls with fewer are quick and not limited.
FEWEST = 500
SECONDS = 1
SENTENCE = (
    f"Another call of this account with more than {FEWEST} contacts and tags is under way. "
    f"Nothing was changed. Try again in {SECONDS} second."
)
OF_OTHERS = (
    f"Calls of other accounts with more than {FEWEST} contacts and tags are under way. "
    f"Nothing was changed. Try again in {SECONDS} second."
)


class BulkCalls:
    def __init__(self) -> None:
        self._lock = Lock()
        self._owners: set[int] = set()

    @contextmanager
    def turn(self, owner: int, size: int) -> Iterator[None]:
        """Hold the account's turn for a call with `size` rows. Raises `RetryLater` if no turn is free."""
        if size <= FEWEST:
            yield
            return
        with self._lock:
            if owner in self._owners:
                raise RetryLater(SENTENCE, SECONDS)
            if len(self._owners) >= max(1, settings.THREADS // 2):
                raise RetryLater(OF_OTHERS, SECONDS)
            self._owners.add(owner)
        try:
            yield
        finally:
            self._owners.discard(owner)


bulk_calls = BulkCalls()
