"""Django's backend for SQLite, save for what a transaction that could not begin leaves, and for what a query costs.

Django begins a transaction by a cursor that it does not close. Where that fails, the error, as Django hands it on, and
the cursor keep each other until Python collects garbage: in whichever thread that happens. To let go of such a cursor
takes its connection's mutex, which SQLite holds all the time that a statement waits for a lock
(https://www.sqlite.org/c3ref/db_mutex.html). So a thread that held the lock, and collected what was left of another's
failure, waited for that other, which waited for the lock: both until the wait was over, and in vain.
docs/adr/0008-a-backend-for-sqlite.md tells more.

And placeholders are put into SQLite's spelling once for each text of SQL, and a moment is given the connection's time
zone in one step. As Django does it, the two together take nearly as long as SQLite takes to find a row.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base, operations

# Letters: what is longer puts many rows at once, and hardly ever as many again. So at most 8 MB are kept.
LONGEST_KEPT = 4_000
MOST_KEPT = 1_000
# Whose method looks at nothing of its cursor, and is not in the types of Django.
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

    def create_cursor(self, name: str | None = None) -> Cursor:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        with self.cursor() as cursor:
            cursor.execute(f"BEGIN {self.transaction_mode or 'DEFERRED'}")
