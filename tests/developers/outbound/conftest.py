from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform.models import Bot
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import AttributeMapping, Recipe, RecipeField
from developers.outbound.subscriptions.models import Subscription
from developers.outbound.transport import addresses, concurrency
from tests.developers.outbound.subscriptions.webhooks import PATH, subscribe_by
from tests.platform.calls import caller

SLOTS = 3
SECRET = "sk-9f8e7d6c5b4a"


@pytest.fixture(autouse=True)
def nothing_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "call_slots", concurrency.CallSlots(SLOTS))
    monkeypatch.setattr(addresses, "lookups", addresses.Lookups())
    monkeypatch.setattr(addresses, "STEP", 0.001)


@pytest.fixture
def loopback(settings: Settings) -> None:
    """Open this machine to calls."""
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.OUTBOUND_RATE_LIMIT = 0


@pytest.fixture
def weather(alice: User) -> OutboundApi:
    """An API with a secret in each place that may hold one."""
    return OutboundApi.objects.make(
        alice,
        "Weather",
        Recipe(
            "POST",
            "https://api.example.com/cities/{{city}}",
            parameters=(RecipeField("units", "metric"), RecipeField("signed", SECRET, is_secret=True)),
            headers=(RecipeField("Authorization", f"Bearer {SECRET}", is_secret=True), RecipeField("X-Trace", "on")),
            body='{"name": "{{name}}"}',
            body_is_secret=True,
            mappings=(AttributeMapping("weather.temperature", "temperature"),),
        ),
    )


@pytest.fixture
def reception(alice: User) -> Bot:
    return Bot.objects.create(owner=alice, name="Reception", platform="whatsapp")


@pytest.fixture
def subscribed(alice: User, reception: Bot) -> Callable[..., Subscription]:
    """Return a function that subscribes an address of a server to Alice's bot."""

    def subscribe(server: str = "https://n8n.example.com", path: str = PATH) -> Subscription:
        subscribe_by(caller(alice), reception.pk, f"{server}{path}")
        return Subscription.objects.latest("made_at", "pk")

    return subscribe
