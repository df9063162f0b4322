"""Reads tables of any size, a few rows at a time.

`QuerySet.iterator` needs a session of PostgreSQL for that. Through a pooler it would read all rows at once.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

ROWS = 2000


def by_key(rows: QuerySet[Any], *columns: str) -> Iterator[tuple[Any, ...]]:
    """Yield columns of rows in the order of their keys. Another transaction may change rows meanwhile."""
    left = rows.order_by("pk").values_list("pk", *columns)
    found = list(left[:ROWS])
    while found:
        for _, *values in found:
            yield tuple(values)
        found = list(left.filter(pk__gt=found[-1][0])[:ROWS])
