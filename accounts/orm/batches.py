"""Deletes rows in small transactions, and only those that still match, so that requests hardly wait."""

from collections.abc import Iterator
from typing import Any

from django.db import models, transaction
from django.db.models import QuerySet
from django.db.models.deletion import Collector, get_candidate_relations_to_delete

from accounts.orm.bulk import BulkTransaction, bulk_writes

# Rows in the first transaction, and at most in one. Large rows take longer, and fewer of them are deleted at a time.
FIRST, BATCH = 50, 500
# Seconds: a shorter transaction doubles the number of rows, a longer one halves it.
SHORT, LONG = 0.02, 0.05


class BatchSize:
    """The number of rows for the next transaction, from the time that the last ones took."""

    def __init__(self) -> None:
        self.rows = min(FIRST, BATCH)

    def fit(self, bulk: BulkTransaction) -> None:
        if bulk.seconds > LONG:
            self.rows = max(1, self.rows // 2)
        elif bulk.seconds < SHORT:
            self.rows = min(BATCH, self.rows * 2)


def delete_in_batches(rows: QuerySet[Any]) -> Iterator[int]:
    """Delete the rows of a query in small transactions, and yield the number of rows after each.

    Keeps rows that no longer match the query, and rows that another transaction has locked.
    """
    size, passed_over = BatchSize(), list[Any]()
    # Read outside of the transaction: a search for few rows in a large table takes long.
    while keys := _keys(rows.exclude(pk__in=passed_over), size.rows):
        with bulk_writes(rows.db) as bulk:
            deleted = _delete_locked(rows, _locked(rows.filter(pk__in=keys), skip_locked=True))
        if deleted:
            size.fit(bulk)
            yield deleted
        else:
            passed_over += keys


def delete_with_referrers(rows: QuerySet[Any]) -> Iterator[int]:
    """Delete rows and everything that refers to them, and yield the number of rows after each transaction.

    Sets keys with `SET_NULL` to NULL, as Django's own `delete` does. After an interruption a new call deletes what is
    left. It follows the foreign keys of all models, so new tables need no code here.
    """
    if not referrers(rows.model):
        yield from delete_in_batches(rows)
        return
    size = BatchSize()
    while keys := _keys(rows, size.rows):
        referring = [(relation, _referring(relation, keys, rows.db)) for relation in referrers(rows.model)]
        for relation, others in referring:
            if relation.on_delete is models.SET_NULL:
                yield from _detach(others, relation.field.name)
            else:
                yield from delete_with_referrers(others)
        with bulk_writes(rows.db) as bulk:
            # A request may have added many referring rows meanwhile: the next round deletes them first.
            is_clear = not any(others.exists() for _, others in referring)
            # Django reads rows before it deletes them, and some are large.
            deleted = rows.filter(pk__in=keys).only("pk").delete()[0] if is_clear else 0
        size.fit(bulk)
        yield deleted


def delete_matching(rows: QuerySet[Any]) -> None:
    """Delete the rows of a query. Waits for locked rows, and keeps those that no longer match then.

    Django's own `delete` selects rows that others refer to in one statement, and deletes them in another.
    """
    with transaction.atomic(using=rows.db):
        _delete_locked(rows, _locked(rows))


def _keys(rows: QuerySet[Any], count: int) -> list[Any]:
    return list(rows.order_by().values_list("pk", flat=True)[:count])


def _delete_locked(rows: QuerySet[Any], locked: QuerySet[Any]) -> int:
    keys = list(locked.values_list("pk", flat=True))
    # Filtered again: this statement sees what was committed before the rows were locked.
    deleted: int = rows.filter(pk__in=keys).delete()[0] if keys else 0
    return deleted


def _locked(rows: QuerySet[Any], *, skip_locked: bool = False) -> QuerySet[Any]:
    """Lock the rows until the end of the transaction, where deleting them takes several statements."""
    if Collector(using=rows.db, origin=rows).can_fast_delete(rows):
        return rows
    return rows.select_for_update(of=("self",), skip_locked=skip_locked)


def _detach(rows: QuerySet[Any], name: str) -> Iterator[int]:
    size = BatchSize()
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
    """Return the relations of other models to a model, sorted so that what refers to nothing deletable comes first."""
    return sorted(_relations(model), key=lambda relation: _depth(relation.related_model))


def _depth(model: type[models.Model], *above: type[models.Model]) -> int:
    relations = [] if model in above else _relations(model)
    return max((1 + _depth(relation.related_model, *above, model) for relation in relations), default=0)


def _relations(model: type[models.Model]) -> list[Any]:
    return list(get_candidate_relations_to_delete(model._meta))
