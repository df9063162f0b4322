"""Django's backend for SQLite with three changes: it creates private files, closes the cursor of a failed BEGIN, and
converts faster.

Django does not close the cursor that begins a transaction. If BEGIN fails, the exception and the cursor refer to each
other until Python collects garbage, in any thread. Freeing the cursor needs its connection's mutex, which SQLite holds
while a statement waits for a lock (https://www.sqlite.org/c3ref/db_mutex.html). So a thread that held the lock could
wait for the mutex of a thread that waited for the lock, until the timeout. See docs/adr/0008-a-backend-for-sqlite.md.

Placeholders are converted once for each SQL text, and datetimes get their time zone in one step. In Django the two
take nearly as long as SQLite takes to find a row.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base, operations

from botpenguin.configuration.database import create_private

# In characters. Longer statements insert many rows and rarely repeat. So the cache takes at most 8 MB.
LONGEST_KEPT = 4_000
MOST_KEPT = 1_000
# Its method `convert_query` does not use the cursor. The types of Django do not have it.
DJANGOS: Any = base.SQLiteCursorWrapper


def convert(query: str, names: tuple[str, ...] | None) -> str:
    converted: str = DJANGOS.convert_query(None, query, param_names=names)
    return converted


convert_once = lru_cache(maxsize=MOST_KEPT)(convert)


class Cursor(base.SQLiteCursorWrapper):
    def convert_query(self, query: str, *, param_names: Iterable[str] | None = None) -> str:
        names = None if param_names is None else tuple(param_names)
        return (convert if len(query) > LONGEST_KEPT else convert_once)(query, names)


class DatabaseOperations(operations.DatabaseOperations):
    def convert_datetimefield_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if isinstance(value, datetime) and value.tzinfo is None:
            return value.replace(tzinfo=self.connection.timezone)
        return super().convert_datetimefield_value(value, expression, connection)


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
    transaction_mode: str | None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        create_private(str(conn_params["database"]))
        return super().get_new_connection(conn_params)

    def read_row(self, sql: str, parameters: Sequence[bytes]) -> tuple[Any, ...] | None:
        """Return the first row of a SELECT. None if there is none. `cursor()` would take as long as the query."""
        self.ensure_connection()
        try:
            row: tuple[Any, ...] | None = self.connection.execute(convert_once(sql, None), parameters).fetchone()
        except Exception:
            # Only here, because entering it takes as long as a fifth of the query.
            with self.wrap_database_errors:
                raise
        return row

    def create_cursor(self, name: str | None = None) -> Cursor:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        with self.cursor() as cursor:
            cursor.execute(f"BEGIN {self.transaction_mode or 'DEFERRED'}")
