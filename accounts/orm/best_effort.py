"""Writes that a request can do without, such as when and from where something was last used.

They neither delay a request nor fail it. If the database is locked, full or read-only, the write is dropped after
100 ms, and this process drops all such writes for the next two seconds. So in an outage requests do not wait one by
one, and the log has one line for many. On PostgreSQL such a write waits neither for the disk nor for a standby: a crash
may lose it.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction

logger = logging.getLogger(__name__)

LOCK_TIMEOUT_MS = 100
BACKOFF_SECONDS = 2.0


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
        with _transaction():
            write()
    except Error as error:
        backoff.begin()
        logger.warning("%s was not recorded: %s", what, error)
        return False
    return True


@contextmanager
def _transaction() -> Iterator[None]:
    """Open a transaction that waits for a lock 100 ms at most. The usual 5 seconds suit a revoke, but not a note."""
    connection = connections[DEFAULT_DB_ALIAS]
    begin = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    with connection.cursor() as cursor, begin(cursor, is_nested=connection.in_atomic_block):
        yield


@contextmanager
def _on_sqlite(cursor: Any, *, is_nested: bool) -> Iterator[None]:
    cursor.execute("PRAGMA busy_timeout")
    usual = cursor.fetchone()[0]
    cursor.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT_MS}")
    try:
        with transaction.atomic():
            yield
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {usual}")


@contextmanager
def _on_postgresql(cursor: Any, *, is_nested: bool) -> Iterator[None]:
    """Change settings for the transaction only: in front of a pooler the session belongs to others too."""
    with transaction.atomic():
        usual = _lock_timeout(cursor) if is_nested else ""
        # What the outer transaction writes must not be lost.
        how = "" if is_nested else "; SET LOCAL synchronous_commit = off"
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}{how}")
        yield
        if is_nested:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [usual])


def _lock_timeout(cursor: Any) -> str:
    cursor.execute("SHOW lock_timeout")
    usual: str = cursor.fetchone()[0]
    return usual
