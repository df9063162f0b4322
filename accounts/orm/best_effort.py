"""Writes that a request can do without, such as when and from where something was last used.

They neither delay a request nor fail it. If the database is locked, full or read-only, the write is dropped after
100 ms, and this process drops all such writes for the next two seconds. So in an outage requests do not wait one by
one, and the log has one line for many.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction

logger = logging.getLogger(__name__)

LOCK_TIMEOUT_MS = 100
BACKOFF_SECONDS = 2.0
# The statements that read and set how many milliseconds a database waits for a lock.
LOCK_TIMEOUT = {
    "sqlite": ("PRAGMA busy_timeout", "PRAGMA busy_timeout = {}"),
    "postgresql": ("SHOW lock_timeout", "SET lock_timeout = '{}'"),
}


class Backoff:
    def __init__(self) -> None:
        self._until = 0.0

    def begin(self) -> None:
        self._until = time.monotonic() + BACKOFF_SECONDS

    def is_on(self) -> bool:
        return self._until > 0 and time.monotonic() < self._until


backoff = Backoff()


def try_write(what: str, write: Callable[[], object]) -> bool:
    """Write in a transaction, or drop the write and log that `what` was not recorded. Return whether it was."""
    return not backoff.is_on() and try_in_background(what, write)


def try_in_background(what: str, write: Callable[[], object]) -> bool:
    """Do as `try_write`, even shortly after another write was dropped: for threads that no request waits for."""
    try:
        with _short_lock_timeout(), transaction.atomic():
            write()
    except Error as error:
        backoff.begin()
        logger.warning("%s was not recorded: %s", what, error)
        return False
    return True


@contextmanager
def _short_lock_timeout() -> Iterator[None]:
    """Wait for a lock 100 ms at most. The usual 5 seconds suit a revoke, but not a note beside a call."""
    connection = connections[DEFAULT_DB_ALIAS]
    read_timeout, set_timeout = LOCK_TIMEOUT[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(read_timeout)
        usual = cursor.fetchone()[0]
        cursor.execute(set_timeout.format(LOCK_TIMEOUT_MS))
        try:
            yield
        finally:
            cursor.execute(set_timeout.format(usual))
