"""What the database has confirmed of this process's writes: commits that are on its disk and on its standbys.

A commit that was cut short while it waited for a standby can already be read, but a failover would undo it. So whoever
says that something was done, which this process did not do itself, confirms it first.
"""

from datetime import datetime, timedelta
from threading import Lock

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction
from django.utils import timezone

# How far the clocks of two nodes may differ.
MOST_SKEW = timedelta(minutes=1)
MOST_KNOWN = 10_000
# It is written to the log of transactions, so its commit waits as any other, and it changes no table.
# https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-REPLICATION
SMALLEST_WRITE = "SELECT pg_logical_emit_message(true, 'botpenguin', '')"


class NotConfirmed(OperationalError):
    """The database has not confirmed a write: it may or may not take effect, or last.

    `is_of_others`: what was written before can be read, but was not confirmed.
    """

    is_of_others = False


class Confirmations:
    """The last confirmed write of this process. Threads may share it."""

    def __init__(self) -> None:
        # When the write began, by this node's clock.
        self.confirmed_at: datetime | None = None
        # Whether a commit was given up, and none has been confirmed since. Only where something in this process keeps
        # measuring, which ends the doubt.
        self.is_in_doubt = self.is_measured = False
        self._known: set[tuple[int, int]] = set()
        self._lock = Lock()

    def note(self, began_at: datetime) -> None:
        """Note that a synchronous commit that began at this time has succeeded. An earlier one changes nothing."""
        with self._lock:
            self.is_in_doubt = False
            if self.confirmed_at is None or began_at > self.confirmed_at:
                self.confirmed_at = began_at

    def doubt(self) -> None:
        """Note that a commit was given up."""
        self.is_in_doubt = self.is_measured

    def remember(self, key: tuple[int, int]) -> None:
        """Note that what this key names is confirmed."""
        with self._lock:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known.add(key)

    def cover(self, key: tuple[int, int], at: datetime) -> bool:
        """Return whether a commit of this time, by any node's clock, is known to be confirmed."""
        return key in self._known or (self.confirmed_at is not None and at + MOST_SKEW < self.confirmed_at)


confirmations = Confirmations()


def confirm(key: tuple[int, int], at: datetime) -> None:
    """Return if the commit of this time, which the key names and this process can see, is confirmed.

    Raises `NotConfirmed`, or another error of the database. Does nothing in a transaction, whose own commit says it.
    """
    if not confirmations.cover(key, at) and confirm_all():
        confirmations.remember(key)


def remember_own(key: tuple[int, int]) -> None:
    """Note that this process's own commit of what the key names was confirmed, unless it is still to come."""
    if not connections[DEFAULT_DB_ALIAS].in_atomic_block:
        confirmations.remember(key)


def confirm_all() -> bool:
    """Confirm all that this process can see, unless it is in a transaction, or on SQLite, which has no standby.

    Raises `NotConfirmed`, or another error of the database.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return False
    try:
        # Each commit that is given up keeps a connection of the server busy until a standby is back.
        if confirmations.is_in_doubt:
            raise NotConfirmed("The database does not confirm writes at the moment.")
        began_at = timezone.now()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SMALLEST_WRITE)
    except NotConfirmed as error:
        error.is_of_others = True
        raise
    confirmations.note(began_at)
    return True
