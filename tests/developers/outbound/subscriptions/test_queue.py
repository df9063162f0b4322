"""New contacts are queued in the transaction that adds them: one row, and none where nobody asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform.models import Bot, Contact
from developers.outbound.subscriptions import queue, subscribing
from developers.outbound.subscriptions.models import Delivery, QueuedEvent, Subscription
from developers.outbound.subscriptions.queue import emit, fan_out
from tests.developers.outbound.subscriptions.webhooks import add_contacts
from tests.platform.calls import caller, contact_of, row

Subscribe = Callable[..., Subscription]


def test_an_import_queues_one_row_for_all_webhooks(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    first, second = subscribed(), subscribed(path="/another")

    ids = add_contacts(caller(alice), reception.pk, "Asha", "Ben")

    queued = QueuedEvent.objects.get()
    assert (queued.contacts, queued.waiting, queued.owner_id) == (ids, 4, alice.pk)
    while fan_out():
        continue
    assert set(Delivery.objects.values_list("subscription", "contact_id")) == {
        (each.pk, contact) for each in (first, second) for contact in ids
    }


def test_only_new_contacts_of_the_bot_are_queued(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    api, other = caller(alice), Bot.objects.create(owner=alice, name="Shop", platform="website")
    contact_of(alice, name="Asha", email="asha@example.com")
    subscribed()

    api.data("POST", f"/inbox/users/import?botId={reception.pk}", [row("Asha", "asha@example.com")])
    api.data("POST", f"/inbox/users/import?botId={other.pk}", [row("Ben")])
    api.data("POST", "/inbox/users/import", [row("Cleo")])

    assert Contact.objects.count() == 3
    assert not QueuedEvent.objects.exists()


def test_a_rolled_back_import_queues_nothing(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    subscribed()

    with transaction.atomic():
        ids = add_contacts(caller(alice), reception.pk, "Asha")
        was_queued = QueuedEvent.objects.exists()
        transaction.set_rollback(True)

    assert (len(ids), was_queued, Contact.objects.exists()) == (1, True, False)
    assert not QueuedEvent.objects.exists()


def test_a_refused_import_queues_nothing(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    subscribed()

    response = caller(alice).send("POST", f"/inbox/users/import?botId={reception.pk}", [row("Asha"), row("", "x@")])

    assert response.status_code == 400
    assert not QueuedEvent.objects.exists()


def test_a_large_import_is_fanned_out_in_parts(
    alice: User, reception: Bot, subscribed: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "AT_ONCE", 2)
    subscribed()
    ids = add_contacts(caller(alice), reception.pk, *"abcde")
    steps = list[Any]()

    while fan_out():
        left = QueuedEvent.objects.first()
        steps.append((Delivery.objects.count(), left.waiting if left else 0))

    assert steps == [(2, 3), (4, 1), (5, 0)]
    assert sorted(Delivery.objects.values_list("contact_id", flat=True)) == sorted(ids)


def test_where_the_queue_is_full_contacts_are_added_and_counted_as_left_out(
    alice: User, reception: Bot, subscribed: Subscribe, settings: Settings
) -> None:
    settings.QUOTA_DELIVERIES = 3
    made = subscribed()
    api = caller(alice)

    add_contacts(api, reception.pk, "Asha", "Ben")
    add_contacts(api, reception.pk, "Cleo", "Dora")
    fan_out()
    add_contacts(api, reception.pk, "Emil", "Fee")
    add_contacts(api, reception.pk, "Gus")

    made.refresh_from_db()
    assert (Contact.objects.count(), made.dropped) == (7, 4)
    assert [len(queued.contacts) for queued in QueuedEvent.objects.all()] == [1]


def test_a_webhook_gets_no_contact_of_before(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    early = subscribed()
    add_contacts(caller(alice), reception.pk, "Asha")
    subscribed(path="/late")

    fan_out()

    assert [delivery.subscription_id for delivery in Delivery.objects.all()] == [early.pk]


def test_an_event_whose_webhook_was_stopped_is_dropped(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    made = subscribed()
    add_contacts(caller(alice), reception.pk, "Asha")
    Subscription.objects.filter(pk=made.pk).delete()

    assert fan_out() is True
    assert not QueuedEvent.objects.exists()
    assert not Delivery.objects.exists()


def test_what_waited_too_long_is_deleted(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    made, now = subscribed(), timezone.now()
    add_contacts(caller(alice), reception.pk, "Asha")
    fan_out()
    add_contacts(caller(alice), reception.pk, "Ben")
    Delivery.objects.update(created_at=now - timedelta(days=1, hours=4))
    QueuedEvent.objects.update(created_at=now - timedelta(days=1, minutes=1))
    Subscription.objects.update(stopped_at=now - timedelta(days=31))

    assert sum(subscribing.forget_old()) == 3
    assert not Subscription.objects.filter(pk=made.pk).exists()


def test_nothing_is_queued_without_a_bot_or_contacts(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    subscribed()

    emit(alice.pk, None, ["6743a1f09b2c4d5e6f708192"])
    emit(alice.pk, reception.pk, [])

    assert not QueuedEvent.objects.exists()


def test_10_000_contacts_at_once_take_one_row(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    subscribed()
    ids = [f"{number:024x}" for number in range(10_000)]

    emit(alice.pk, reception.pk, ids)

    queued = QueuedEvent.objects.get()
    assert (queued.contacts, queued.waiting) == (ids, 10_000)
