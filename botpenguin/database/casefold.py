"""Case-insensitive searches beyond ASCII on SQLite, whose LIKE folds only ASCII letters.

PostgreSQL folds by the locale of the database.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import CharField, TextField, lookups
from django.db.models.sql.compiler import SQLCompiler
from django.dispatch import receiver

from botpenguin.database.sqlite3.base import DatabaseWrapper as SqliteWrapper


def casefold(text: str | None) -> str | None:
    return text and text.casefold()


@receiver(connection_created, sender=SqliteWrapper)
def add_function(connection: SqliteWrapper, **kwargs: Any) -> None:
    connection.connection.create_function("casefold", 1, casefold, deterministic=True)


@CharField.register_lookup
@TextField.register_lookup
class IContains(lookups.IContains):
    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        text, parameters = self.process_lhs(compiler, connection)
        part, more = self.process_rhs(compiler, connection)
        return f"casefold({text}) {self.get_rhs_op(connection, f'casefold({part})')}", [*parameters, *more]
