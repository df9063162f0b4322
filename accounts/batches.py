"""Deleting rows while others use the database: a few at a time, and only those that still match."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.deletion import Collector

BATCH = 500


def delete_in_batches(rows: QuerySet[Any]) -> Iterator[int]:
    """Delete the rows of a query, each few in a transaction of their own, and yield how many after each.

    One that no longer belongs to the query when its turn comes stays, as does one that somebody is changing.
    """
    count = BATCH
    while count == BATCH:
        with transaction.atomic(using=rows.db):
            keys = list(_held(rows.order_by(), skip_locked=True).values_list("pk", flat=True)[:BATCH])
            count = len(keys)
            deleted = rows.filter(pk__in=keys).delete()[0] if keys else 0
        if deleted:
            yield deleted


def delete_matching(rows: QuerySet[Any]) -> None:
    """Delete the rows of a query. Waits for whoever is changing one, which then stays if it no longer matches.

    Django's own `delete` chooses rows to which others refer by one statement, and deletes them by another.
    """
    with transaction.atomic(using=rows.db):
        keys = list(_held(rows).values_list("pk", flat=True))
        # Asked again, by a statement that sees what was committed before the rows were held.
        rows.filter(pk__in=keys).delete()


def _held(rows: QuerySet[Any], *, skip_locked: bool = False) -> QuerySet[Any]:
    """Have nobody change the rows before the end of the transaction, where deleting them takes several statements."""
    if Collector(using=rows.db, origin=rows).can_fast_delete(rows):
        return rows
    return rows.select_for_update(of=("self",), skip_locked=skip_locked)
