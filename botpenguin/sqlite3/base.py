"""Django's backend for SQLite, save that a statement that failed is let go of at once, by the thread that sent it.

An exception and its traceback refer to each other, and so keep the cursor until Python collects garbage: in whichever
thread that happens. To let go of a cursor takes its connection's mutex (https://www.sqlite.org/c3ref/reset.html), which
SQLite holds all the time that a statement waits for a lock. So a thread that held the lock, and collected what was left
of another's failure, waited for that other, which waited for the lock: both until the wait was over, and in vain.
"""

import sqlite3
from typing import Any, Self

from django.db.backends.sqlite3 import base


class Cursor(base.SQLiteCursorWrapper):
    def execute(self, *statement: Any) -> Self:
        try:
            super().execute(*statement)
        except sqlite3.Error:
            self.close()
            raise
        return self


class DatabaseWrapper(base.DatabaseWrapper):
    def create_cursor(self, name: str | None = None) -> Cursor:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        return cursor
