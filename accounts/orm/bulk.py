"""Bulk work in short transactions: imports, deletions, housekeeping.

SQLite has one writer at a time and no queue: who waits asks again every 1 to 25 ms at first, later every 100 ms
(https://www.sqlite.org/c3ref/busy_timeout.html). Work that begins its next transaction where the last one ends is
nearly always faster, and a revoke or a log-in would wait until that work is done. So bulk work of all processes takes
turns, and rests after its transactions for as long as they have lasted. PostgreSQL locks rows and needs no turns; there
the rests leave others their share of processors and disk.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction

# Seconds. The shortest is as long as those take who have just begun to wait and ask again.
SHORTEST_REST, LONGEST_REST = 0.025, 0.25
# Whoever waits longer for a turn goes on without it: a process that was stopped in its own must not stop all others.
PATIENCE = 10.0
BETWEEN_TRIES = 0.005
FEW = 100


@dataclass(slots=True)
class Part:
    """One transaction of bulk work, and for how many seconds it has held its locks, known once it is over."""

    seconds: float = 0


class _Unrested(threading.local):
    seconds = 0.0


unrested = _Unrested()


@contextmanager
def bulk_writes(using: str = DEFAULT_DB_ALIAS) -> Iterator[Part]:
    """Hold a transaction for one part of bulk work, then rest. Keep the part to some 50 ms: prepare all before it.

    Where the caller holds a transaction, there is no use in resting: call it outside of any.
    """
    connection, part = connections[using], Part()
    if connection.in_atomic_block:
        yield part
        return
    with _turn(connection):
        began: float | None = None
        try:
            with transaction.atomic(using=using):
                began = time.monotonic()
                yield part
        finally:
            if began is not None:
                part.seconds = time.monotonic() - began
                _rest_after(part.seconds)


def writes_of(rows: int) -> AbstractContextManager[object]:
    """Take turns with other bulk work where there are many rows. For few nobody needs to wait."""
    return bulk_writes() if rows > FEW else nullcontext()


def _rest_after(seconds: float) -> None:
    """Rest once what was written since the last rest took as long as the shortest one."""
    unrested.seconds += seconds
    if unrested.seconds >= SHORTEST_REST:
        rest(min(unrested.seconds, LONGEST_REST))
        unrested.seconds = 0


rest = time.sleep


@contextmanager
def _turn(connection: Any) -> Iterator[None]:
    """Wait for the lock of the folder that holds SQLite's file. The system releases it where a process dies."""
    if connection.vendor != "sqlite":
        yield
        return
    descriptor = os.open(Path(connection.settings_dict["NAME"]).parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        gives_up_at = time.monotonic() + PATIENCE
        while not _lock(descriptor) and time.monotonic() < gives_up_at:
            time.sleep(BETWEEN_TRIES)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
