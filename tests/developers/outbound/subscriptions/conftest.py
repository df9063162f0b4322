"""A webhook of Alice's bot, and a way to deliver what waits for it."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from botpenguin.operations.management.commands.mail_worker import read_contact
from botpenguin.platform.models import Bot
from developers.outbound.subscriptions.delivering import deliver_one
from developers.outbound.subscriptions.models import Subscription
from developers.outbound.subscriptions.queue import fan_out
from tests.platform.calls import Caller, caller, row

EVENT = "newLeadHook"
PATH = "/webhook/5f0c8a2e-0d5b-4c7e-9a51-6f3d2b1c0e9a/trigger-event"


@pytest.fixture
def reception(alice: User) -> Bot:
    return Bot.objects.create(owner=alice, name="Reception", platform="whatsapp")


@pytest.fixture
def subscribed(alice: User, reception: Bot) -> Callable[..., Subscription]:
    """Return a function that subscribes an address of a server to Alice's bot."""

    def subscribe(server: str = "https://n8n.example.com", path: str = PATH) -> Subscription:
        subscribe_by(caller(alice), reception.pk, f"{server}{path}")
        return Subscription.objects.order_by("-made_at", "-pk")[0]

    return subscribe


def subscribe_by(program: Caller, bot: str, url: str, event: str = EVENT, *, on: bool = True) -> Any:
    body = {"webhookUrl": url, "botId": bot, "event": event, "slug": "n8n", "category": "n8n", "subscribe": on}
    return program.send("POST", "/integrations/custom-app/subscribe-trigger-event", body)


def add_contacts(program: Caller, bot: str, *names: str) -> list[str]:
    """Import a contact for each name, and return their ids."""
    ids: list[str] = program.data("POST", f"/inbox/users/import?botId={bot}", [row(name) for name in names])["ids"]
    return ids


def deliver_all(**network: Any) -> int:
    """Do what a worker does until nothing is due, and return the number of deliveries that were begun."""
    while fan_out():
        continue
    begun = 0
    while deliver_one(read_contact, **network):
        begun += 1
    return begun
