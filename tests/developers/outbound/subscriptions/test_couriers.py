"""Threads of the mail worker deliver until it ends, and outlive a database that fails."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.operations.management.commands.mail_worker import read_contact
from botpenguin.platform.models import Bot
from developers.outbound.subscriptions import couriers
from developers.outbound.subscriptions.models import Delivery, Subscription
from tests.developers.outbound.servers import response, serving
from tests.developers.outbound.subscriptions.webhooks import add_contacts
from tests.platform.calls import caller
from tests.server import poll

pytestmark = pytest.mark.usefixtures("loopback")
Subscribe = Callable[..., Subscription]
OK = response(b"{}")


def test_a_round_by_cron_delivers_too(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    with serving(OK) as server:
        subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha", "Ben")

        call_command("mail_worker", "--once")

    assert len(server.requests) == 2


def test_a_round_by_cron_ends_in_time(alice: User, reception: Bot, subscribed: Subscribe, settings: Settings) -> None:
    with serving(OK) as server:
        subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha", "Ben")

        couriers.deliver_for(0, read_contact)

    assert server.requests == []


@pytest.mark.django_db(transaction=True)
def test_threads_deliver_and_go_on_after_a_failure(
    alice: User,
    reception: Bot,
    subscribed: Subscribe,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(couriers, "PAUSE", 0.01)
    failures = [OSError("The database is away.")]

    def read(*ids: Any) -> str | None:
        if failures:
            raise failures.pop()
        return read_contact(*ids)

    with serving(OK) as server:
        subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha")
        with couriers.couriers(read):
            poll(lambda: "Webhooks wait: this round failed." in caplog.messages)
            # As when its time is over.
            Subscription.objects.update(leased_until=None)
            poll(lambda: not Delivery.objects.exists() and len(server.requests) == 1)

    assert Subscription.objects.get().delivered == 1
