"""Limits simultaneous bulk calls in a process: one an account, and half of the threads for all accounts.

Others are refused at once and no thread waits, so that a revoke always finds a free thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.conf import settings
from django.utils.translation import gettext_lazy

from botpenguin.platform.api.error_keys import ErrorKey
from botpenguin.platform.api.errors import ApiError

# Contacts and tags. Calls with fewer are quick and not limited.
FEWEST = 500
SECONDS = 1
SENTENCE = gettext_lazy(
    "Another call of this account with more than %(fewest)d contacts and tags is under way. "
    "Nothing was changed. Try again in 1 second."
)
OF_OTHERS = gettext_lazy(
    "Calls of other accounts with more than %(fewest)d contacts and tags are under way. "
    "Nothing was changed. Try again in 1 second."
)


class BulkCalls:
    def __init__(self) -> None:
        self._lock = Lock()
        self._owners: set[int] = set()

    @contextmanager
    def turn(self, owner: int, size: int) -> Iterator[None]:
        """Hold the account's turn for a call with `size` rows. Raises `ApiError` if no turn is free."""
        if size <= FEWEST:
            yield
            return
        with self._lock:
            if owner in self._owners:
                raise ApiError(ErrorKey.BUSY, SENTENCE % {"fewest": FEWEST}, SECONDS)
            if len(self._owners) >= max(1, settings.THREADS // 2):
                raise ApiError(ErrorKey.BUSY, OF_OTHERS % {"fewest": FEWEST}, SECONDS)
            self._owners.add(owner)
        try:
            yield
        finally:
            self._owners.discard(owner)


bulk_calls = BulkCalls()
