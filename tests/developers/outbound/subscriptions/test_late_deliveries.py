"""What fails is tried for a day, with growing waits, and is then given up."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from botpenguin.platform.models import Bot
from developers.outbound.subscriptions.delivering import wait_after
from developers.outbound.subscriptions.models import Delivery, Subscription
from tests.developers.outbound.servers import response, serving
from tests.developers.outbound.subscriptions.webhooks import add_contacts, deliver_all, make_due
from tests.platform.calls import caller

pytestmark = pytest.mark.usefixtures("loopback")
Subscribe = Callable[..., Subscription]
OK, FAILURE = response(b"{}"), response(status="500 Internal Server Error")


def test_a_failure_delays_the_others_of_its_address_and_not_those_of_another(
    alice: User, reception: Bot, subscribed: Subscribe
) -> None:
    with serving(FAILURE) as failing, serving(OK) as good:
        subscribed(failing.url)
        subscribed(good.url)
        add_contacts(caller(alice), reception.pk, "Asha", "Ben", "Cleo")

        deliver_all()

    assert (len(failing.requests), len(good.requests)) == (1, 3)


def test_after_a_day_a_delivery_is_given_up_and_counted(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    with serving(FAILURE) as server:
        made = subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha", "Ben")
        deliver_all()
        Delivery.objects.update(created_at=timezone.now() - timedelta(days=1))
        make_due()

        deliver_all()

    made.refresh_from_db()
    assert (len(server.requests), made.given_up, made.failures, made.next_at) == (1, 2, 1, None)
    assert not Delivery.objects.exists()


def test_until_then_the_last_attempt_is_made(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    with serving(FAILURE, OK) as server:
        made = subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha")
        deliver_all()
        Delivery.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
        make_due()

        deliver_all()

    made.refresh_from_db()
    assert (len(server.requests), made.given_up, made.delivered) == (2, 0, 1)


def test_the_waits_double_up_to_an_hour() -> None:
    waits = [wait_after(failures).total_seconds() for failures in (0, 1, 2, 3, 8, 9, 10_000)]

    assert waits == [0, 30, 60, 120, 3600, 3600, 3600]
