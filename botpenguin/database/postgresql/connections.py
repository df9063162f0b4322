"""Connections to PostgreSQL that wait for no answer without bound, and that say so if a commit is not confirmed.

With synchronous replication a commit waits for a standby, and no timeout of PostgreSQL ends that wait. Cancelling it
commits on the primary alone, with only a warning (https://www.postgresql.org/docs/current/warm-standby.html,
section 27.2.8). So a connection that waits too long is dropped: the server then commits when a standby is back, or
never.
"""

from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

import psycopg
from psycopg import abc, generators
from psycopg.adapt import Transformer
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, _WaitTimeout, error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from accounts.orm.confirmations import NotConfirmed, confirmations
from botpenguin.database.deadline import deadline

# The SQLSTATE of a warning, and the function of PostgreSQL that waits for standbys. Its text depends on the language.
WARNING, WAITS_FOR_STANDBYS = "01000", "SyncRepWaitForLSN"


class ConnectionLost(psycopg.OperationalError):
    """A connection is closed, other than by its deadline, or does not have a prepared statement any more."""


class Connection(psycopg.Connection[Any]):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_committing = self._is_reading = False
        # Names of the statements that are prepared on the server, by their SQL.
        self._names_by_sql: dict[bytes, bytes] = {}
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

    def read_row(self, sql: bytes, parameters: Sequence[bytes], *, is_prepared: bool) -> tuple[Any, ...] | None:
        """Return the first row of a SELECT with the placeholders of PostgreSQL, outside any transaction.

        A cursor of psycopg takes as long as the round trip. `is_prepared`: the server plans the statement once for this
        connection. Raises `ConnectionLost`, or what the server raises.
        """
        formats = [Format.BINARY] * len(parameters)
        self._is_reading = True
        try:
            if is_prepared:
                name = self._names_by_sql.get(sql) or self._prepare(sql)
                self.pgconn.send_query_prepared(name, parameters, formats, Format.BINARY)
            else:
                self.pgconn.send_query_params(sql, parameters, None, formats, Format.BINARY)
            result = self._receive()
        except (FeatureNotSupported, InvalidSqlStatementName) as error:
            # A migration has changed the columns, or DISCARD ALL has removed the statement.
            self.close()
            raise ConnectionLost(str(error)) from error
        except psycopg.OperationalError as error:
            if self.closed and not isinstance(error.__cause__, _WaitTimeout):
                raise ConnectionLost(str(error)) from error
            raise
        finally:
            self._is_reading = False
        if not result.ntuples:
            return None
        self._transformer.set_pgresult(result)
        return self._transformer.load_row(0, tuple)

    @cached_property
    def _transformer(self) -> abc.Transformer:
        # Without the connection, which it would keep alive.
        return Transformer(self.adapters)

    def _prepare(self, sql: bytes) -> bytes:
        name = f"read_row_{len(self._names_by_sql)}".encode()
        self.pgconn.send_prepare(name, sql)
        self._receive()
        self._names_by_sql[sql] = name
        return name

    def _receive(self) -> PGresult:
        result: PGresult = self.wait(generators.execute(self.pgconn))[0]
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result, self.info.encoding)
        return result

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
        if self.closed and not self._is_reading and (self.autocommit or self._is_committing):
            return NotConfirmed(sentence)
        return error if sentence == str(error) else psycopg.OperationalError(sentence)


def _keep_if_cut_short(kept: list[str], notice: psycopg.errors.Diagnostic) -> None:
    if notice.sqlstate == WARNING and notice.source_function == WAITS_FOR_STANDBYS:
        kept.append(notice.message_primary or "")
