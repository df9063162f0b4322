"""Seals calls, drafts and addresses of webhooks anew under the first key of the ring."""

from typing import Any

from django.db.models import QuerySet

from accounts import keyring
from accounts.keyring import Unreadable
from accounts.orm.bulk import bulk_writes
from developers.outbound import sealing
from developers.outbound.call_drafts import CallDraft
from developers.outbound.models import OutboundApi
from developers.outbound.subscriptions.models import Subscription

# Rows read at once: each may be a megabyte.
BATCH = 10


def reseal_all() -> tuple[int, int]:
    """Return how many rows were sealed anew, and how many cannot be read."""
    counts = [_reseal(model) for model in (OutboundApi, CallDraft, Subscription)]
    return sum(moved for moved, _ in counts), sum(unreadable for _, unreadable in counts)


def _reseal(model: type[OutboundApi] | type[CallDraft] | type[Subscription]) -> tuple[int, int]:
    """Seal each row anew by one conditional UPDATE: what is written anew meanwhile is under the first key already."""
    first = keyring.ring()[0].id
    # A draft that has ended may hold nothing, and a webhook that a report has stopped.
    every: QuerySet[Any] = model._base_manager.all()
    remaining = every.exclude(key_id__in=("", first))
    moved, last = 0, None
    while batch := list((remaining.filter(pk__gt=last) if last else remaining).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        for row in batch:
            try:
                text = sealing.unseal(row.owner_id, row.sealed_as, row.sealed, row.key_id)
            except Unreadable:
                continue
            sealed, key_id = sealing.seal(row.owner_id, row.sealed_as, text)
            with bulk_writes():
                moved += every.filter(pk=row.pk, sealed=row.sealed).update(sealed=sealed, key_id=key_id)
    return moved, remaining.count()
