"""Queries that are compiled once. Django takes ten times as long to build a statement as a database to run it."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Value


class _Slot(NamedTuple):
    """Where a parameter stands in a statement."""

    name: str
    field: "Field[Any, Any]"


class Parameter(Value):
    """A value of a compiled query that each run gives, by name."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [_Slot(self.value, self.output_field)]


class _Statement(NamedTuple):
    """What is computed once: to compute it anew takes longer than to run the statement."""

    sql: str
    parameters: tuple[Any, ...]
    # By the number of the column.
    converters: list[tuple[int, Callable[..., Any], Any]]
    model: Any
    # Of the model: names of its fields, their columns, and the columns of annotations.
    names: list[str]
    columns: list[int]
    annotations: dict[str, int]


class CompiledQuery:
    """A queryset with a `Parameter` for each value that differs from run to run.

    `build` makes the queryset, before the first run. Such values as the time must be parameters: the others stay as
    they are while the process runs.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        self._build = build

    def rows(self, **values: Any) -> list[Any]:
        """Return the rows of a queryset of `values_list`, as tuples."""
        return [tuple(row) for row in self._run(values)]

    def objects(self, **values: Any) -> list[Any]:
        """Return the objects of a queryset of a model, with their annotations."""
        _sql, _parameters, _converters, model, names, columns, annotations = self._statement
        found = []
        for row in self._run(values):
            one = model.from_db(DEFAULT_DB_ALIAS, names, [row[column] for column in columns])
            for name, column in annotations.items():
                setattr(one, name, row[column])
            found.append(one)
        return found

    @cached_property
    def _statement(self) -> _Statement:
        compiler = self._build().query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([selected[0] for selected in compiler.select])
        columns = (compiler.klass_info or {}).get("select_fields", [])
        return _Statement(
            sql,
            tuple(parameters),
            [(at, convert, expression) for at, (steps, expression) in converters.items() for convert in steps],
            compiler.query.model,
            [compiler.select[column][0].target.attname for column in columns],
            columns,
            compiler.annotation_col_map or {},
        )

    def _run(self, values: dict[str, Any]) -> list[Sequence[Any]]:
        statement, connection = self._statement, connections[DEFAULT_DB_ALIAS]
        given = [
            slot.field.get_db_prep_value(values[slot.name], connection) if isinstance(slot, _Slot) else slot
            for slot in statement.parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, given)
            found: list[Any] = cursor.fetchall()
        rows: list[Any] = [list(row) for row in found] if statement.converters else found
        for at, convert, expression in statement.converters:
            for row in rows:
                row[at] = convert(row[at], expression, connection)
        return rows
