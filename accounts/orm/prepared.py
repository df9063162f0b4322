"""Prepares statements and parameters before a transaction begins, which then only sends them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model

Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement, and its parameters for each row."""

    sql: str
    rows: Sequence[Values]

    def run(self) -> int:
        """Execute the statement for each row, and return how many rows were written."""
        if not self.rows:
            return 0
        with connection.cursor() as cursor:
            cursor.executemany(self.sql, self.rows)
            return int(cursor.rowcount)


def insertion(model: type[Model], rows: Iterable[Model]) -> Prepared:
    """Prepare the INSERT of new rows. Keys that the database generates are not returned."""
    fields = [field for field in model._meta.concrete_fields if not field.get_internal_type().endswith("AutoField")]
    marks = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {_table(model)} ({', '.join(map(_column, fields))}) VALUES ({marks})"  # noqa: S608 - our names
    return Prepared(sql, [tuple(_value(field, row) for field in fields) for row in rows])


def update(
    model: type[Model], rows: Iterable[tuple[Model, Values]], change: Sequence[str], known: Sequence[str]
) -> Prepared:
    """Prepare the UPDATE of the fields `change`, for rows whose fields `known` still hold the values beside them."""
    changed, unchanged = ([_field(model, name) for name in names] for names in (change, known))
    what, where = ", ".join(_is(field) for field in changed), " AND ".join(_is(field) for field in unchanged)
    parameters = [
        (
            *(_value(field, row) for field in changed),
            *(field.get_db_prep_save(value, connection) for field, value in zip(unchanged, values, strict=True)),
        )
        for row, values in rows
    ]
    return Prepared(f"UPDATE {_table(model)} SET {what} WHERE {where}", parameters)  # noqa: S608 - our names


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)


def _column(field: Any) -> str:
    return connection.ops.quote_name(field.column)


def _is(field: Any) -> str:
    return f"{_column(field)} = %s"


def _value(field: Any, row: Model) -> Any:
    return field.get_db_prep_save(field.pre_save(row, add=False), connection)
