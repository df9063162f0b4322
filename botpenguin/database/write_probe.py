"""Measures in the background whether the database confirms writes.

With synchronous replication and no standby, a commit of PostgreSQL waits without bound, while reads still work. So each
process that serves commits a small transaction every few seconds, on a connection of its own. What it has found is in
memory, where `/readyz/writes` reads it, in two metrics, and in one line of the log when it changes.
"""

import logging
import time
from collections.abc import Callable
from itertools import count
from multiprocessing.util import Finalize
from threading import Event, Lock, Thread, Timer
from typing import Any

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from accounts.orm.confirmations import SMALLEST_WRITE, confirmations
from botpenguin.database import direct
from botpenguin.database.deadline import OF_A_COMMAND, deadline
from developers import metrics

logger = logging.getLogger(__name__)

# Seconds between two measurements, and the time after which the last one no longer counts.
INTERVAL, MOST_SECONDS = 5.0, 15.0
# Seconds after which a write that still waits is not confirmed, and for which the first answer of a process waits.
LATE_SECONDS = 2.0
# Seconds after which requests that would write are refused, and between two measurements until then.
DOUBTFUL_SECONDS, INTERVAL_IN_DOUBT = 5.0, 1.0
# PostgreSQL accepts it in a read-only transaction too.
MESSAGE = f"{SMALLEST_WRITE}, current_setting('transaction_read_only')"
# Fails in a read-only file of SQLite, where BEGIN IMMEDIATE does not, and changes nothing.
NOTHING = "DELETE FROM django_migrations WHERE 1 = 0"


class Serving:
    """Whether this process measures. A process that only runs commands does not."""

    is_on = False


def commit_something() -> None:
    """Commit a transaction synchronously. Raises a `django.db.Error` if the database does not confirm it.

    SQLite takes and releases its write lock, which fails in a locked or read-only database. It writes nothing.
    """
    try:
        # Past a pooler: a commit that waits would keep one of its few connections from reads.
        with direct.as_default(), transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(NOTHING)
                return
            cursor.execute(MESSAGE)
            if cursor.fetchone()[1] == "on":
                raise OperationalError("its transactions are read-only")
    finally:
        connection.close()


class WriteProbe:
    """What this process knows of the writes of the database."""

    def __init__(self, commit: Callable[[], None] = commit_something) -> None:
        self._commit = commit
        self._lock, self._first, self._is_over = Lock(), Event(), Event()
        # Counted without a lock, since each request asks.
        self._starts = count()
        self._thread: Thread | None = None
        self._measurements = 0
        self._is_failing = self._is_waiting = False
        # Of the monotonic clock.
        self._confirmed_at: float | None = None
        self._show: Callable[[float], object] = metrics.ignore
        self._show_time: Callable[[float], object] = metrics.ignore

    def start(self, **signal: Any) -> None:
        """Measure from now on, if this process serves: a receiver of Django's `request_started`.

        A thread from before the fork of this process would not survive it.
        """
        if Serving.is_on and next(self._starts) == 0:
            confirmations.is_measured = True
            self._thread = Thread(target=self._measure_by_timer, name="write-probe", daemon=True)
            self._thread.start()
            # Runs at the end of a worker of Granian, where `atexit` does not.
            Finalize(None, self._is_over.set, exitpriority=0)

    def problem(self) -> str:
        """Return in a sentence why writes count as not confirmed, or nothing if they are confirmed.

        The first call in a process waits for its first measurement, for two seconds at most.
        """
        if self._thread:
            self._first.wait(LATE_SECONDS)
        if not self._first.is_set():
            return "not measured yet"
        if self._confirmed_at is None:
            return "writes are not confirmed; none was since this process started"
        age = time.monotonic() - self._confirmed_at
        if self._is_failing or age > MOST_SECONDS:
            return f"writes are not confirmed; the last confirmed one began {age:.0f} s ago"
        return ""

    def measure(self) -> None:
        """Commit a transaction, and note what comes of it."""
        began_at, now = time.monotonic(), timezone.now()
        with self._lock:
            self._measurements += 1
            self._is_waiting = True
        timers = [
            Timer(LATE_SECONDS, self._note_late, [self._measurements]),
            Timer(DOUBTFUL_SECONDS, self._note_doubtful, [self._measurements]),
        ]
        for timer in timers:
            timer.daemon = True
            timer.start()
        try:
            # Not given up as early as a request: the server waits on, and each such commit keeps a connection busy.
            with deadline.of_this_thread(OF_A_COMMAND):
                self._commit()
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was confirmed
            self._note_failed(str(error).strip() or repr(error))
        else:
            self._note_confirmed(began_at)
            confirmations.note(now)
            self._show_time(now.timestamp())
        finally:
            for timer in timers:
                timer.cancel()

    def _measure_by_timer(self) -> None:
        self._show = metrics.gauge("botpenguin_writes_confirmed", "Whether the database confirms writes.")
        self._show_time = metrics.gauge(
            "botpenguin_last_confirmed_write_timestamp_seconds", "When the last write began that was confirmed."
        )
        while not self._is_over.is_set():
            self.measure()
            self._is_over.wait(INTERVAL_IN_DOUBT if confirmations.is_in_doubt else INTERVAL)

    def _note_doubtful(self, measurement: int) -> None:
        with self._lock:
            if self._is_waiting and measurement == self._measurements:
                confirmations.doubt()

    def _note_late(self, measurement: int) -> None:
        with self._lock:
            if self._is_waiting and measurement == self._measurements:
                self._fail(f"a commit has waited for {LATE_SECONDS:.0f} s")

    def _note_failed(self, reason: str) -> None:
        with self._lock:
            self._is_waiting = False
            self._fail(reason)

    def _fail(self, reason: str) -> None:
        if not self._is_failing:
            logger.error("The database does not confirm writes: %s", reason)
        self._is_failing = True
        self._show(0)
        self._first.set()

    def _note_confirmed(self, began_at: float) -> None:
        """Note a success. One that was late ends no failure: otherwise a slow database would fill the log."""
        with self._lock:
            self._is_waiting = False
            self._confirmed_at = began_at
            is_late = time.monotonic() - began_at > LATE_SECONDS
            if self._is_failing and not is_late:
                logger.warning("The database confirms writes again.")
            self._is_failing = is_late and self._is_failing
            self._show(0 if self._is_failing else 1)
            self._first.set()


probe = WriteProbe()
