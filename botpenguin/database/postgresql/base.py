"""Django's backend for PostgreSQL, which also reads single rows in one round trip.

Django takes a connection from the pool and has it answer an empty query first, since the statement that follows may
write and cannot be repeated. A SELECT can, so `read_row` leaves the empty query out.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from functools import lru_cache
from typing import Any

from django.db.backends.postgresql import base
from psycopg import IsolationLevel
from psycopg_pool import ConnectionPool

from botpenguin.database.postgresql.connections import Connection, ConnectionLost

# In seconds: a quick 503 is better than a page that hangs.
SECONDS_FOR_A_CONNECTION = 3


@lru_cache
def numbered(sql: str, parameters: int) -> bytes:
    """Return Django's SQL with the placeholders of PostgreSQL: $1 and so on."""
    return (sql % tuple(f"${number}" for number in range(1, parameters + 1))).encode()


class Pooled(base.DatabaseWrapper):
    # None in a configuration without a pool.
    pool: ConnectionPool[Connection] | None

    def read_row(self, sql: str, parameters: Sequence[bytes]) -> tuple[Any, ...] | None:
        """Return the first row of a SELECT that locks nothing. None if there is none.

        If this thread has no connection, one of the pool reads the row, and is back in the pool at once. If it is lost,
        the read is repeated once, on a new connection.
        """
        pool = self.pool
        with self.wrap_database_errors:
            if self.connection is None and pool is not None and not pool.closed:
                began_at = time.monotonic()
                try:
                    return self._read_unchecked(pool, numbered(sql, len(parameters)), parameters)
                except ConnectionLost:
                    # After a restart or a migration the others of the pool are no better. To check one after the
                    # other would take seconds.
                    pool.drain()
                    # Whoever has waited for as long as for a connection does not wait again.
                    if time.monotonic() - began_at > SECONDS_FOR_A_CONNECTION:
                        raise
            self.ensure_connection()
            with closing(self.create_cursor()) as cursor:
                cursor.execute(sql, parameters)
                row: tuple[Any, ...] | None = cursor.fetchone()
        return row

    def _read_unchecked(
        self, pool: ConnectionPool[Connection], sql: bytes, parameters: Sequence[bytes]
    ) -> tuple[Any, ...] | None:
        # `getconn` would check the connection, with a round trip of its own.
        connection = pool._getconn_unchecked(SECONDS_FOR_A_CONNECTION)
        try:
            # True behind a pooler in transaction mode, where each statement may reach another session.
            is_pooled = self.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False)
            return connection.read_row(sql, parameters, is_prepared=not is_pooled)
        finally:
            pool.putconn(connection)


# The name by which Django finds it.
DatabaseWrapper = Pooled


class Unpooled(base.DatabaseWrapper):
    """Django's connection to PostgreSQL without a pool, which waits as those of the pool do."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        self.isolation_level = IsolationLevel.READ_COMMITTED
        return Connection.connect(**conn_params)


def pool_options(threads: int) -> dict[str, Any]:
    """Return the options of a pool with a connection for each thread, and one that measures writes."""
    return {
        "connection_class": Connection,
        "min_size": 1,
        "max_size": threads + 1,
        "timeout": SECONDS_FOR_A_CONNECTION,
        "reconnect_timeout": 3,
    }
