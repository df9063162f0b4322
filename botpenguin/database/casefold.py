"""Searches that find É by é on SQLite too, whose LIKE knows the case of ASCII letters only.

On PostgreSQL the locale of the database knows it.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import CharField, TextField, lookups
from django.db.models.sql.compiler import SQLCompiler
from django.dispatch import receiver

from botpenguin.database.sqlite3.base import DatabaseWrapper as SqliteWrapper


def folded(text: str | None) -> str | None:
    return text and text.casefold()


@receiver(connection_created, sender=SqliteWrapper)
def teach(connection: SqliteWrapper, **kwargs: Any) -> None:
    connection.connection.create_function("casefold", 1, folded, deterministic=True)


@CharField.register_lookup
@TextField.register_lookup
class IContains(lookups.IContains):
    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        text, parameters = self.process_lhs(compiler, connection)
        part, more = self.process_rhs(compiler, connection)
        return f"casefold({text}) {self.get_rhs_op(connection, f'casefold({part})')}", [*parameters, *more]
