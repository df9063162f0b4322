"""Addresses are sealed, and shown only as far as people need to know them."""

import secrets
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from accounts import deletion
from accounts.keyring import Unreadable
from accounts.models import User
from botpenguin.platform.models import Bot
from developers.outbound.subscriptions import subscribing
from developers.outbound.subscriptions.models import Delivery, QueuedEvent, Subscription
from developers.outbound.subscriptions.queue import fan_out
from developers.outbound.subscriptions.subscribing import shown_of
from tests.cast import logged_in
from tests.developers.outbound.subscriptions.webhooks import EVENT, PATH, add_contacts
from tests.platform.calls import caller

Subscribe = Callable[..., Subscription]


@pytest.mark.parametrize(
    ("url", "host", "beginning"),
    [
        (f"https://n8n.example.com{PATH}", "n8n.example.com", "https://n8n.example.com/webhook…"),
        ("https://n8n.example.com", "n8n.example.com", "https://n8n.example.com/…"),
        ("https://n8n.example.com/", "n8n.example.com", "https://n8n.example.com/…"),
        ("https://n8n.example.com/abc", "n8n.example.com", "https://n8n.example.com/…"),
        ("https://n8n.example.com/abcdefg", "n8n.example.com", "https://n8n.example.com/a…"),
        ("http://n8n.example.com:8443/?key=1234567", "n8n.example.com", "http://n8n.example.com:8443/?k…"),
        ("https://bücher.example/webhook/1", "xn--bcher-kva.example", "https://xn--bcher-kva.example/w…"),
        ("https://[2606:4700::1111]/webhook", "2606:4700::1111", "https://[2606:4700::1111]/w…"),
        ("https://N8N.Example.COM/webhook", "n8n.example.com", "https://n8n.example.com/w…"),
    ],
)
def test_at_most_a_quarter_of_the_path_is_shown(url: str, host: str, beginning: str) -> None:
    assert shown_of(url) == (host, beginning)


def test_an_address_is_nowhere_in_plain_text(subscribed: Subscribe) -> None:
    made = subscribed()

    [columns] = Subscription.objects.values()
    assert PATH[10:] not in str(columns)
    assert made.url() == f"https://n8n.example.com{PATH}"


@pytest.mark.parametrize("column", ["bot_id", "event", "id", "owner_id"])
def test_an_address_opens_for_its_own_row_only(bob: User, subscribed: Subscribe, column: str) -> None:
    made = subscribed()
    setattr(made, column, {"owner_id": bob.pk}.get(column, "6743a1f09b2c4d5e6f708192"))

    with pytest.raises(Unreadable):
        made.url()


def test_an_address_that_cannot_be_read_is_left_out(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    subscribed()
    Subscription.objects.update(key_id="00000000")

    assert subscribing.addresses(alice.pk, reception.pk, EVENT) == []


def test_addresses_move_to_a_new_key(subscribed: Subscribe, settings: Settings) -> None:
    made, stopped, output = subscribed(), subscribed(path="/stopped"), StringIO()
    Subscription.objects.filter(pk=stopped.pk).update(sealed="", key_id="")
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32), *settings.TOKEN_KEYS]

    call_command("rotate_token_keys", stdout=output)

    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    made.refresh_from_db()
    assert made.url() == f"https://n8n.example.com{PATH}"
    assert output.getvalue().endswith("0 rows left.\n")


def test_all_is_deleted_with_the_account(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    subscribed()
    add_contacts(caller(alice), reception.pk, "Asha")
    fan_out()
    add_contacts(caller(alice), reception.pk, "Ben")

    logged_in(alice).post("/account/delete/", {"email": alice.email})
    sum(deletion.finish_all())

    assert not User.objects.exists()
    assert [model.objects.count() for model in (Subscription, QueuedEvent, Delivery)] == [0, 0, 0]


def test_rows_are_named_without_secrets(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    made = subscribed()
    add_contacts(caller(alice), reception.pk, "Asha")
    queued = str(QueuedEvent.objects.get())
    fan_out()
    delivery = Delivery.objects.get()

    assert (str(made), queued, str(delivery)) == (
        "https://n8n.example.com/webhook…",
        f"newLeadHook of {reception.pk}",
        delivery.pk,
    )
