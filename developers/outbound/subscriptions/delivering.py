"""Sends what waits, one delivery at a time, at least once each.

A worker first takes a lease of the subscription. If it dies, the lease ends, and another worker sends the same
delivery again, with the same id. While nothing dies, each delivery is sent by one worker: it locks the row that it
leases, and others pass over it. An account has one delivery under way, so that one with slow targets holds few workers.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.keyring import Unreadable
from accounts.throttling.counters import Limit, name_of
from developers.outbound.recipe import RecipeField
from developers.outbound.subscriptions.models import PROBLEM_LENGTH, TRIED_FOR, Delivery, Subscription, Subscriptions
from developers.outbound.subscriptions.subscribing import recipe_of

# Deliveries in a minute to one host, for one account.
AN_HOST_A_MINUTE, WINDOW = 30, 60
# The wait doubles with each failure.
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
# Reading, connecting and writing besides the call itself.
SPARE_SECONDS = 20
# Late deliveries that one round gives up.
GIVEN_UP_AT_ONCE = 200
# Returns what to send of a contact of an owner and a bot, as JSON; None if there is nothing any more.
ReadContact = Callable[[int, str, str], str | None]
Changes = Callable[[Subscription, datetime], dict[str, Any]]


def deliver_one(read: ReadContact, **network: Any) -> bool:
    """Send the delivery that is due first. Return False if there is none.

    `read` is the last that uses the database before it is sent. `network` is passed on to `sending.send`.
    """
    subscription = _lease()
    if subscription is None:
        return False
    limit = Limit(name_of("subscription", f"{subscription.owner_id}:{subscription.host}"), AN_HOST_A_MINUTE, WINDOW)
    now = timezone.now()
    due = subscription.deliveries.filter(due_at__lte=now, created_at__gt=now - TRIED_FOR)
    delivery = due.order_by("due_at", "pk").first()
    if delivery is None:
        _end(subscription)
    elif limit.take() is None:
        _end(subscription, wait=timedelta(seconds=limit.seconds_left()))
    else:
        _end(subscription, partial(_settle, delivery, _send(subscription, delivery, read, network)))
    return True


def _due(now: datetime) -> Subscriptions:
    busy = Subscription.objects.filter(leased_until__gt=now).values("owner")
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    return Subscription.objects.current().filter(free, next_at__lte=now).exclude(owner__in=busy)


def _lease() -> Subscription | None:
    now = timezone.now()
    # Read first: on SQLite a transaction takes the write lock.
    if not _due(now).exists():
        return None
    with transaction.atomic():
        locked = _due(now).select_for_update(of=("self",), skip_locked=True).order_by("next_at", "pk")
        taken = list(locked[:1])
        until = now + timedelta(seconds=settings.OUTBOUND_SECONDS + SPARE_SECONDS)
        Subscription.objects.filter(pk__in=[subscription.pk for subscription in taken]).update(leased_until=until)
    return taken[0] if taken else None


@sensitive_variables("body", "url")
def _send(subscription: Subscription, delivery: Delivery, read: ReadContact, network: dict[str, Any]) -> str | None:
    """Send a delivery. Return an empty text, a sentence that says why it failed, or None for a contact that is gone."""
    # Its imports take long, and most workers have nothing to send.
    from developers.outbound.transport.sending import send  # noqa: PLC0415

    body = read(subscription.owner_id, subscription.bot_id, delivery.contact_id)
    if body is None:
        return None
    try:
        url = subscription.url()
    except Unreadable:
        return _("The address can no longer be read. Set it up anew in the program.")
    at = int(timezone.now().timestamp())
    headers = (RecipeField("webhook-id", delivery.pk), RecipeField("webhook-timestamp", str(at)))
    response = send(recipe_of(url, body, headers), owner=subscription.owner_id, **network)
    if response.is_success:
        return ""
    return response.problem or f"{response.status}: {response.explanation}"


def _end(subscription: Subscription, changes: Changes | None = None, wait: timedelta = timedelta()) -> None:
    """Give a subscription back with the changes that a delivery made, for a delivery no earlier than after a wait."""
    with transaction.atomic():
        row = Subscription.objects.select_for_update().filter(pk=subscription.pk).first()
        if row is None:
            return
        now = timezone.now()
        changed = changes(row, now) if changes else {}
        changed["given_up"] = row.given_up + _give_up(row, now)
        first: datetime | None = row.deliveries.aggregate(first=Min("due_at"))["first"]
        wait = max(wait, wait_after(changed.get("failures", 0)))
        changed["next_at"] = max(first, now + wait) if first else None
        Subscription.objects.filter(pk=row.pk).update(leased_until=None, **changed)


def _settle(delivery: Delivery, problem: str | None, row: Subscription, now: datetime) -> dict[str, Any]:
    """Delete a delivery, or put it off, and return what changes in its subscription."""
    same = Delivery.objects.filter(pk=delivery.pk)
    if problem:
        attempts = delivery.attempts + 1
        same.update(attempts=attempts, due_at=now + wait_after(attempts))
        since = row.failing_since or now
        return {"failures": row.failures + 1, "failing_since": since, "problem": problem[:PROBLEM_LENGTH]}
    same.delete()
    if problem is None:
        return {}
    return {
        "failures": 0,
        "failing_since": None,
        "problem": "",
        "delivered": row.delivered + 1,
        "last_delivered_at": now,
    }


def _give_up(row: Subscription, now: datetime) -> int:
    late = row.deliveries.filter(created_at__lte=now - TRIED_FOR).values_list("pk", flat=True)
    return Delivery.objects.filter(pk__in=list(late[:GIVEN_UP_AT_ONCE])).delete()[0]


def wait_after(failures: int) -> timedelta:
    return min(FIRST_WAIT * 2 ** min(failures - 1, 10), LONGEST_WAIT) if failures else timedelta()
