"""Queries that are compiled once. Django takes ten times as long to build a statement as a database to run it."""

from collections.abc import Callable, Iterator
from copy import copy
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


class CompiledQuery:
    """A queryset with a `Parameter` for each value that differs from run to run.

    `build` makes the queryset, before the first run. Such values as the time must be parameters: the others stay as
    they are while the process runs.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        self._build = build

    def rows(self, **values: Any) -> list[Any]:
        """Return the rows of a queryset of `values_list`, as tuples."""
        return list(self._run(self._for_this_thread(), values))

    def objects(self, **values: Any) -> list[Any]:
        """Return the objects of a queryset of a model, with their annotations."""
        compiler = self._for_this_thread()
        columns = compiler.klass_info["select_fields"]
        names = [compiler.select[column][0].target.attname for column in columns]
        found = []
        for row in self._run(compiler, values):
            one = compiler.query.model.from_db(DEFAULT_DB_ALIAS, names, [row[column] for column in columns])
            for name, column in compiler.annotation_col_map.items():
                setattr(one, name, row[column])
            found.append(one)
        return found

    @cached_property
    def _compiled(self) -> tuple[Any, str, tuple[Any, ...]]:
        compiler = self._build().query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        return compiler, sql, tuple(parameters)

    def _for_this_thread(self) -> Any:
        compiler = copy(self._compiled[0])
        compiler.connection = connections[DEFAULT_DB_ALIAS]
        return compiler

    def _run(self, compiler: Any, values: dict[str, Any]) -> Iterator[Any]:
        _compiler, sql, parameters = self._compiled
        connection = compiler.connection
        given = [
            slot.field.get_db_prep_value(values[slot.name], connection) if isinstance(slot, _Slot) else slot
            for slot in parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(sql, given)
            rows = cursor.fetchall()
        found: Iterator[Any] = compiler.results_iter([rows], tuple_expected=True)
        return found
