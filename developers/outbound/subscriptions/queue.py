"""The queue of events and deliveries. `emit` is the platform's only way into it."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from developers.outbound import quotas
from developers.outbound.subscriptions.models import Delivery, QueuedEvent, Subscription

# Contacts that one transaction turns into deliveries, for each of up to 10 subscriptions.
AT_ONCE = 200
# More than there are workers that hold one.
LOOKED_AT = 20


def emit(owner_id: int, bot_id: str | None, contacts: Sequence[str]) -> None:
    """Queue new contacts of a bot for the subscriptions of their owner. Call it in the transaction that adds them.

    Writes one row, or none where nothing is subscribed. Where the queue is full, the subscriptions count what is
    left out: contacts come to be all the same.
    """
    if not bot_id or not contacts:
        return
    event = Subscription.Event.NEW_CONTACT
    listening = Subscription.objects.current().filter(owner=owner_id, bot_id=bot_id, event=event)
    keys = list(listening.values_list("pk", flat=True))
    if not keys:
        return
    more = len(contacts) * len(keys)
    if _waiting(owner_id) + more > quotas.DELIVERIES.most:
        # In the order in which all lock them: no revoke may end in a deadlock.
        locked = (
            Subscription.objects.filter(pk__in=keys).select_for_update().order_by("pk").values_list("pk", flat=True)
        )
        Subscription.objects.filter(pk__in=list(locked)).update(dropped=F("dropped") + len(contacts))
        return
    QueuedEvent.objects.create(owner_id=owner_id, bot_id=bot_id, event=event, contacts=list(contacts), waiting=more)


def fan_out() -> bool:
    """Turn a part of the oldest event into deliveries. Return whether there was one that no other worker holds."""
    oldest = list(QueuedEvent.objects.order_by("pk").values_list("pk", flat=True)[:LOOKED_AT])
    if not oldest:
        return False
    with transaction.atomic():
        unlocked = QueuedEvent.objects.filter(pk__in=oldest).select_for_update(skip_locked=True)
        taken = list(unlocked.order_by("pk")[:1])
        for queued in taken:
            _fan_out(queued)
    return bool(taken)


def _fan_out(queued: QueuedEvent) -> None:
    # Locked, so that no worker finds at the same time that nothing waits for them.
    keys = [subscription.pk for subscription in _listening(queued)]
    part, rest = queued.contacts[:AT_ONCE], queued.contacts[AT_ONCE:]
    now = timezone.now()
    Delivery.objects.bulk_create(
        Delivery(subscription_id=key, contact_id=contact, created_at=queued.created_at, due_at=now)
        for contact in part
        for key in keys
    )
    Subscription.objects.filter(pk__in=keys).update(next_at=Coalesce("next_at", Value(now)))
    same = QueuedEvent.objects.filter(pk=queued.pk)
    if keys and rest:
        same.update(contacts=rest, waiting=len(rest) * len(keys))
    else:
        same.delete()


def _listening(queued: QueuedEvent) -> list[Subscription]:
    """Lock and return the subscriptions that the event is for: those of now that were there when it happened."""
    found = Subscription.objects.current().filter(owner=queued.owner_id, bot_id=queued.bot_id, event=queued.event)
    earlier = found.filter(made_at__lte=queued.created_at).only("pk").order_by("pk")
    return list(earlier.select_for_update(of=("self",)))


def _waiting(owner_id: int) -> int:
    events = QueuedEvent.objects.owned_by(owner_id).aggregate(sum=Sum("waiting", default=0))["sum"]
    return int(events) + Delivery.objects.filter(subscription__owner=owner_id).count()
