"""Deleting many rows a few at a time, so that nobody waits long for the database."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

BATCH = 500


def delete_in_batches(rows: QuerySet[Any]) -> Iterator[int]:
    """Delete the rows of a query, each few in a transaction of their own, and yield how many after each.

    One that no longer belongs to the query when its turn comes stays.
    """
    while keys := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        yield rows.filter(pk__in=keys).delete()[0]
        if len(keys) < BATCH:
            return
