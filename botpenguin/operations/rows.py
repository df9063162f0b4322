"""The rows of a restored database: their consistency and their numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import connection

# By the beginnings of Django's column types: the storage classes that SQLite may use. SQLite enforces none.
STORED_AS = {
    ("int", "bigint", "smallint", "bool"): ("integer",),
    ("varchar", "char", "text", "date", "time"): ("text",),
    ("blob",): ("blob",),
    ("real",): ("real", "integer"),
}
REPORTED_AT_MOST = 10


def of_other_types() -> list[str]:
    """Return the columns of the connected SQLite database that hold values of other types, such as text in ids."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        return [column for table in tables for column in _of_other_types(cursor, table)]


def _of_other_types(cursor: Any, table: str) -> Iterator[str]:
    quoted = connection.ops.quote_name
    cursor.execute(f"PRAGMA table_info({quoted(table)})")
    columns = {name: kinds for _, name, declared, *_ in cursor.fetchall() if (kinds := _stored_as(declared))}
    if not columns:
        return
    counts = ", ".join(
        f"count(*) FILTER (WHERE typeof({quoted(name)}) NOT IN ('null', {', '.join(map(repr, kinds))}))"
        for name, kinds in columns.items()
    )
    cursor.execute(f"SELECT {counts} FROM {quoted(table)}")  # noqa: S608 - quoted names and constant types
    yield from (f"{table}.{name}" for name, count in zip(columns, cursor.fetchone(), strict=True) if count)


def _stored_as(declared: str) -> tuple[str, ...]:
    return next((kinds for starts, kinds in STORED_AS.items() if declared.lower().startswith(starts)), ())


def contradictions() -> list[str]:
    """Return the violated constraints and dangling references of the connected SQLite database.

    PostgreSQL enforces the same during its restore.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA integrity_check({REPORTED_AT_MOST})")
        broken = [verdict for (verdict,) in cursor.fetchall() if verdict != "ok"]
        cursor.execute('SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2')
        lost = [f"{number:,} rows of {table} refer to missing ones of {other}" for table, other, number in cursor]
        return broken + lost


def count() -> dict[str, int]:
    """Count the rows of each table of the connected database."""
    return {model._meta.db_table: model._base_manager.count() for model in apps.get_models()}


def compare(backup: Mapping[str, int], running: Mapping[str, int]) -> str:
    """Return a table of the row counts of a backup and, if known, of the database that it replaces."""
    names = {model._meta.db_table: str(model._meta.verbose_name_plural) for model in apps.get_models()}
    width = max(map(len, names.values()))
    lines = [f"{'Rows':<{width}}  {'backup':>12}" + (f"  {'replaced':>12}" if running else "")]
    for table, name in names.items():
        now = running.get(table, 0)
        if backup[table] or now:
            lines.append(f"{name:<{width}}  {backup[table]:>12,}" + (f"  {now:>12,}" if running else ""))
    return "\n".join(lines)
