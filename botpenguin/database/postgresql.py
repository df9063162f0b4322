"""Connections to PostgreSQL that wait for no answer without bound, and that say so if a commit is not confirmed.

With synchronous replication a commit waits for a standby, and no timeout of PostgreSQL ends that wait. Cancelling it
commits on the primary alone, with only a warning (https://www.postgresql.org/docs/current/warm-standby.html,
section 27.2.8). So a connection that waits too long is dropped: the server then commits when a standby is back, or
never.
"""

from functools import partial
from typing import Any

import psycopg
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import IsolationLevel
from psycopg.errors import _WaitTimeout

from accounts.orm.confirmations import NotConfirmed, confirmations
from botpenguin.database.deadline import deadline

# The SQLSTATE of a warning, and the function of PostgreSQL that waits for standbys. Its text depends on the language.
WARNING, WAITS_FOR_STANDBYS = "01000", "SyncRepWaitForLSN"


class Connection(psycopg.Connection[Any]):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_committing = False
        self._cut_short: list[str] = []
        # It must not refer to the connection, which would then live until Python collects garbage.
        self.add_notice_handler(partial(_keep_if_cut_short, self._cut_short))

    def commit(self) -> None:
        """Commit. Raises `NotConfirmed` if it is unknown whether the transaction is committed, or will stay so."""
        self._is_committing = True
        try:
            super().commit()
        finally:
            self._is_committing = False

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer of the server until the deadline of this process, then drop the connection.

        Raises `NotConfirmed` if the statement commits and was not confirmed, else `psycopg.OperationalError`.
        """
        try:
            answer = super().wait(gen, interval, timeout or deadline.seconds)
        except psycopg.OperationalError as error:
            raise self._failure(error) from error
        if self._cut_short:
            self._cut_short.clear()
            confirmations.doubt()
            raise NotConfirmed("A commit was cut short while it waited for a standby.")
        return answer

    def _failure(self, error: psycopg.OperationalError) -> Exception:
        sentence = str(error)
        if isinstance(error, _WaitTimeout):
            self.pgconn.finish()
            sentence = f"The database has not answered within {deadline.seconds:g} s."
            if self._is_committing:
                confirmations.doubt()
        if self.closed and (self.autocommit or self._is_committing):
            return NotConfirmed(sentence)
        return error if sentence == str(error) else psycopg.OperationalError(sentence)


def _keep_if_cut_short(kept: list[str], notice: psycopg.errors.Diagnostic) -> None:
    if notice.sqlstate == WARNING and notice.source_function == WAITS_FOR_STANDBYS:
        kept.append(notice.message_primary or "")


class Unpooled(DatabaseWrapper):
    """Django's connection to PostgreSQL without a pool, which waits as those of the pool do."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        self.isolation_level = IsolationLevel.READ_COMMITTED
        return Connection.connect(**conn_params)


def pool_options(threads: int) -> dict[str, Any]:
    """Return the options of a pool with a connection for each thread, and one that measures writes.

    Short timeouts, in seconds: a quick 503 is better than a page that hangs.
    """
    return {
        "connection_class": Connection,
        "min_size": 1,
        "max_size": threads + 1,
        "timeout": 3,
        "reconnect_timeout": 3,
    }
