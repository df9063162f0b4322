"""Deleting rows while others use the database: a few at a time, and only those that still match."""

from collections.abc import Iterator
from typing import Any

from django.db import models, transaction
from django.db.models import QuerySet
from django.db.models.deletion import Collector, get_candidate_relations_to_delete

from accounts.orm.bulk import BulkTransaction, bulk_writes

# Rows of a transaction: so many at first and at most. Fewer where they take long, since some hold much.
FIRST, BATCH = 50, 500
# Seconds.
SHORT, LONG = 0.02, 0.05


class Size:
    """How many rows the next transaction takes, by how long the last ones took."""

    def __init__(self) -> None:
        self.rows = min(FIRST, BATCH)

    def fit(self, bulk: BulkTransaction) -> None:
        if bulk.seconds > LONG:
            self.rows = max(1, self.rows // 2)
        elif bulk.seconds < SHORT:
            self.rows = min(BATCH, self.rows * 2)


def delete_in_batches(rows: QuerySet[Any]) -> Iterator[int]:
    """Delete the rows of a query, each few in a transaction of their own, and yield how many after each.

    One that no longer belongs to the query when its turn comes stays, as does one that somebody is changing.
    """
    size, passed_over = Size(), list[Any]()
    # Looked up outside of the transaction: where few rows match, they may take long to find.
    while keys := _keys(rows.exclude(pk__in=passed_over), size.rows):
        with bulk_writes(rows.db) as bulk:
            deleted = _delete_locked(rows, _locked(rows.filter(pk__in=keys), skip_locked=True))
        if deleted:
            size.fit(bulk)
            yield deleted
        else:
            passed_over += keys


def delete_with_referrers(rows: QuerySet[Any]) -> Iterator[int]:
    """Delete rows, and before them all that refers to them, directly or not, and yield how many after each transaction.

    What refers to them by a key that may become NULL stays without it, as Django's own `delete` has it. Who is
    interrupted begins again, and finds what is left. It goes through the models as they are: tables that come later
    need no more than their foreign keys.
    """
    if not referrers(rows.model):
        yield from delete_in_batches(rows)
        return
    size = Size()
    while keys := _keys(rows, size.rows):
        referring = [(relation, _referring(relation, keys, rows.db)) for relation in referrers(rows.model)]
        for relation, others in referring:
            if relation.on_delete is models.SET_NULL:
                yield from _detach(others, relation.field.name)
            else:
                yield from delete_with_referrers(others)
        with bulk_writes(rows.db) as bulk:
            # What a request has added meanwhile may be much as well: its turn comes first.
            is_clear = not any(others.exists() for _, others in referring)
            # Of rows that are read before they are deleted, some hold much.
            deleted = rows.filter(pk__in=keys).only("pk").delete()[0] if is_clear else 0
        size.fit(bulk)
        yield deleted


def delete_matching(rows: QuerySet[Any]) -> None:
    """Delete the rows of a query. Waits for whoever is changing one, which then stays if it no longer matches.

    Django's own `delete` chooses rows to which others refer by one statement, and deletes them by another.
    """
    with transaction.atomic(using=rows.db):
        _delete_locked(rows, _locked(rows))


def _keys(rows: QuerySet[Any], count: int) -> list[Any]:
    return list(rows.order_by().values_list("pk", flat=True)[:count])


def _delete_locked(rows: QuerySet[Any], locked: QuerySet[Any]) -> int:
    keys = list(locked.values_list("pk", flat=True))
    # Asked again, by a statement that sees what was committed before the rows were locked.
    deleted: int = rows.filter(pk__in=keys).delete()[0] if keys else 0
    return deleted


def _locked(rows: QuerySet[Any], *, skip_locked: bool = False) -> QuerySet[Any]:
    """Have nobody change the rows before the end of the transaction, where deleting them takes several statements."""
    if Collector(using=rows.db, origin=rows).can_fast_delete(rows):
        return rows
    return rows.select_for_update(of=("self",), skip_locked=skip_locked)


def _detach(rows: QuerySet[Any], name: str) -> Iterator[int]:
    size = Size()
    while keys := _keys(rows, size.rows):
        with bulk_writes(rows.db) as bulk:
            rows.filter(pk__in=keys).update(**{name: None})
        size.fit(bulk)
        yield 0


def _referring(relation: Any, keys: list[Any], using: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = relation.related_model._base_manager.using(using).filter(
        **{f"{relation.field.name}__in": keys}
    )
    return rows


def referrers(model: type[models.Model]) -> list[Any]:
    """Return the relations of other models to one; those come first to which fewer others refer in their turn."""
    return sorted(_relations(model), key=lambda relation: _height(relation.related_model))


def _height(model: type[models.Model], *above: type[models.Model]) -> int:
    relations = [] if model in above else _relations(model)
    return max((1 + _height(relation.related_model, *above, model) for relation in relations), default=0)


def _relations(model: type[models.Model]) -> list[Any]:
    return list(get_candidate_relations_to_delete(model._meta))
