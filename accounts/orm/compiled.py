"""Queries that are compiled once. Django takes ten times as long to build a statement as a database to run it."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)

# Of no row: it only marks the place of the parameter in the statement.
PLACEHOLDER = 0


def first_rows(make: Callable[[int], "QuerySet[M]"], key: int, most: int) -> list[M]:
    """Return `make(key)[:most]`, a query without related objects whose only parameter is `key`.

    Its statement is kept, so `make` must be a function of a module, or a method of a manager.
    """
    return _compiled(make, most, DEFAULT_DB_ALIAS)(key)


@cache
def _compiled(make: Callable[[int], "QuerySet[M]"], most: int, alias: str) -> Callable[[int], list[M]]:
    queryset = make(PLACEHOLDER).using(alias)[:most]
    compiler = queryset.query.get_compiler(using=alias)
    sql, parameters = compiler.as_sql()
    if parameters != (PLACEHOLDER,):
        raise TypeError(f"{make} has other parameters than the key.")
    columns = [column for column, _, _ in compiler.select]
    converters = compiler.get_converters(columns)
    names = [column.target.attname for column in columns]

    def read(key: int) -> list[M]:
        connection = connections[alias]
        with connection.cursor() as cursor:
            cursor.execute(sql, [key])
            found = cursor.fetchall()
        return [queryset.model.from_db(alias, names, _converted(row, converters, connection)) for row in found]

    return read


def _converted(row: tuple[Any, ...], converters: Any, connection: Any) -> list[Any]:
    values = list(row)
    for position, (functions, expression) in converters.items():
        for convert in functions:
            values[position] = convert(values[position], expression, connection)
    return values
