"""The SELECT of a bearer check: the row of a token and its owner, by digest."""

from collections.abc import Callable
from functools import cache
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connections

from developers.models import ApiToken

# What `verification.Bearer` holds, in its order, and what binds the row to its owner.
COLUMNS = ("user_id", "user__email", "user__is_active", "generation", "hint", "issued_at", "last_used_at")
BINDING_COLUMNS = ("digest", "key_id", "binding")
Row = tuple[Any, ...]


def find(digests: list[bytes]) -> Row | None:
    """Return `COLUMNS` and `BINDING_COLUMNS` of the token with one of these digests. None if there is none."""
    return _compiled(DEFAULT_DB_ALIAS, len(digests))(digests)


@cache
def _compiled(alias: str, keys: int) -> Callable[[list[bytes]], Row | None]:
    """Compile the look-up's SQL once: building it takes ten times as long as running it.

    The queryset remains the source of the SQL, and its compiler of the column converters, which a raw
    cursor does not apply.
    """
    placeholders = [str(number).encode() for number in range(keys)]
    query = ApiToken.objects.using(alias).filter(digest__in=placeholders).values_list(*COLUMNS, *BINDING_COLUMNS).query
    compiler = query.get_compiler(using=alias)
    sql, _ = compiler.as_sql()
    converters = compiler.get_converters([selected[0] for selected in compiler.select])

    def look_up(digests: list[bytes]) -> Row | None:
        # Both backends are the project's own.
        connection: Any = connections[alias]
        if connection.queries_logged or connection.execute_wrappers:
            with connection.cursor() as cursor:
                cursor.execute(sql, digests)
                row = cursor.fetchone()
        else:
            row = connection.read_row(sql, digests)
        if row is None or not converters:
            return cast(Row | None, row)
        values = list(row)
        for position, (functions, expression) in converters.items():
            for convert in functions:
                values[position] = convert(values[position], expression, connection)
        return tuple(values)

    return look_up
