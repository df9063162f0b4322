"""Bulk work in short transactions: imports, deletions, housekeeping.

SQLite has one writer at a time and no queue: a waiting connection tries again after 1 to 25 ms, later every 100 ms
(https://www.sqlite.org/c3ref/busy_timeout.html). Bulk work that starts its next transaction at once nearly always gets
the lock first, and a revoke or a log-in would wait until that work is done. So the bulk work of all processes takes
turns, and rests after its transactions for as long as they have lasted. PostgreSQL locks rows and needs no turns; there
the rests leave others their share of processors and disk.

A request waits one second for its first turn, before it has written anything, and then raises `BulkBusy`: a waiting
thread serves nobody. Once a request has begun to write it waits as long as a command does.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

# Seconds. The shortest rest is as long as the first pauses of a waiting connection.
SHORTEST_REST, LONGEST_REST = 0.025, 0.25
# Seconds. Work that waits longer goes on without its turn: a process stopped in its turn must not stop all others.
LONGEST_WAIT = 10.0
LONGEST_WAIT_OF_A_REQUEST = 1.0
POLL_INTERVAL = 0.005
FEW = 100


class BulkBusy(Exception):
    """Other bulk work took longer than a request waits. The text is for people; try again in `seconds`."""

    seconds = 1

    def __init__(self) -> None:
        super().__init__(_("Other large changes are under way. Nothing was changed. Try again in a moment."))


@dataclass(slots=True)
class BulkTransaction:
    """One transaction of bulk work; `seconds` is how long it held its locks, set when it is over."""

    seconds: float = 0


class _Unrested(threading.local):
    seconds = 0.0


unrested = _Unrested()


class _Waiting(threading.local):
    # True while a request is served that has had no turn yet.
    is_brief = False


waiting = _Waiting()


class _Refused:
    # The time since which every waiting request of this process has been refused.
    since: float | None = None


refused = _Refused()


@contextmanager
def brief_waits() -> Iterator[None]:
    """Refuse bulk work during the block, which serves a request, if it would wait long for its first turn."""
    waiting.is_brief = True
    try:
        yield
    finally:
        waiting.is_brief = False


def wait_briefly(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        with brief_waits():
            return get_response(request)

    return middleware


@contextmanager
def bulk_writes(using: str = DEFAULT_DB_ALIAS, *, waits_for_others: bool = True) -> Iterator[BulkTransaction]:
    """Open a transaction for one part of bulk work, then rest. Prepare before it all that can be: it should take 50 ms.

    Call it outside of any transaction; inside of one it does nothing. Raises `BulkBusy` in a request that does not get
    its first turn. With `waits_for_others=False` it takes no turn and is never refused: only for little work.
    """
    connection, done = connections[using], BulkTransaction()
    if connection.in_atomic_block:
        yield done
        return
    with _bulk_lock(connection) if waits_for_others else nullcontext():
        began: float | None = None
        try:
            with transaction.atomic(using=using):
                began = time.monotonic()
                yield done
        finally:
            if began is not None:
                done.seconds = time.monotonic() - began
                _rest_after(done.seconds)


def writes_of(rows: int) -> AbstractContextManager[object]:
    """Return `bulk_writes` for many rows, and a context that does nothing for few."""
    return bulk_writes() if rows > FEW else nullcontext()


def _rest_after(seconds: float) -> None:
    """Rest once the writes since the last rest took as long as the shortest rest."""
    unrested.seconds += seconds
    if unrested.seconds >= SHORTEST_REST:
        rest(min(unrested.seconds, LONGEST_REST))
        unrested.seconds = 0


rest = time.sleep


@contextmanager
def _bulk_lock(connection: Any) -> Iterator[None]:
    """Hold a file lock on the folder of SQLite's file. The system releases it when a process dies."""
    if connection.vendor != "sqlite":
        yield
        return
    descriptor = os.open(Path(connection.settings_dict["NAME"]).parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _wait(descriptor)
        waiting.is_brief = False
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int) -> None:
    """Return when the lock is held, or after `LONGEST_WAIT`. Raises `BulkBusy`."""
    began = now = time.monotonic()
    gives_up_at = began + (min(LONGEST_WAIT, LONGEST_WAIT_OF_A_REQUEST) if waiting.is_brief else LONGEST_WAIT)
    while not (is_held := _lock(descriptor)) and now < gives_up_at:
        time.sleep(POLL_INTERVAL)
        now = time.monotonic()
    if is_held or not waiting.is_brief:
        refused.since = None
        return
    since = refused.since = refused.since or began
    if now - since < LONGEST_WAIT:
        raise BulkBusy
    refused.since = None


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
