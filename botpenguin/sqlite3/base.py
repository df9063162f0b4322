"""Django's backend for SQLite, save for what a failed statement leaves behind, and for what each costs.

A statement that failed is let go of at once, by the thread that sent it. An exception and its traceback refer to each
other, and so keep the cursor until Python collects garbage: in whichever thread that happens. To let go of a cursor
takes its connection's mutex (https://www.sqlite.org/c3ref/reset.html), which SQLite holds all the time that a statement
waits for a lock. So a thread that held the lock, and collected what was left of another's failure, waited for that
other, which waited for the lock: both until the wait was over, and in vain.

And Django looks for the placeholders in each statement and for the time zone of each time anew, which takes as long as
SQLite takes to find a row. Here a text of SQL is converted once, and what Django wrote as UTC is read as UTC.
"""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, Self

from django.db.backends.sqlite3 import base, operations

# Letters: what is longer puts many rows at once, and hardly ever as many again.
LONGEST_KEPT = 4_000
# Whose method looks at nothing of its cursor, and is not in the types of Django.
DJANGOS: Any = base.SQLiteCursorWrapper


def convert(query: str, names: tuple[str, ...] | None) -> str:
    converted: str = DJANGOS.convert_query(None, query, param_names=names)
    return converted


convert_once = lru_cache(maxsize=1000)(convert)


class Cursor(base.SQLiteCursorWrapper):
    def execute(self, *statement: Any) -> Self:
        try:
            super().execute(*statement)
        except sqlite3.Error:
            self.close()
            raise
        return self

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

    def create_cursor(self, name: str | None = None) -> Cursor:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        return cursor
