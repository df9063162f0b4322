from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from botpenguin.platform.api.envelope import timestamp
from botpenguin.platform.models import Bot, Contact
from tests.platform.calls import Caller
from tests.test_races import at_once

pytestmark = pytest.mark.matrix

NO_BOT = (404, ["There is no bot with this id in your account."])


def test_a_bot_is_created_read_changed_and_deleted(as_alice: Caller) -> None:
    created = as_alice.send("POST", "/bots", {"name": "  Reception ", "platform": "whatsapp"})

    assert created.status_code == created.json()["code"] == 201
    bot = Bot.objects.get()
    shown = {
        "_id": bot.pk,
        "name": "Reception",
        "platform": "whatsapp",
        "createdAt": timestamp(bot.created_at),
        "updatedAt": timestamp(bot.updated_at),
    }
    assert created.json()["data"] == shown
    assert as_alice.data("GET", f"/bots/{bot.pk}") == shown
    changed = as_alice.data("PATCH", f"/bots/{bot.pk}", {"name": "Night desk"})
    assert changed == shown | {"name": "Night desk", "updatedAt": changed["updatedAt"]}
    assert as_alice.data("PATCH", f"/bots/{bot.pk}", {"platform": "sms"})["name"] == "Night desk"
    assert as_alice.data("DELETE", f"/bots/{bot.pk}")["platform"] == "sms"
    assert as_alice.refusal("GET", f"/bots/{bot.pk}") == NO_BOT


@pytest.mark.no_cover
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_concurrent_changes_undo_nothing_of_each_other(as_alice: Caller, alice: User, attempt: int) -> None:
    bot = Bot.objects.create(owner=alice, name="Reception", platform="whatsapp")
    changes = iter([{"name": "Night desk"}, {"platform": "sms"}] * 3)

    at_once(6, lambda: as_alice.data("PATCH", f"/bots/{bot.pk}", next(changes)))

    bot.refresh_from_db()
    assert (bot.name, bot.platform) == ("Night desk", "sms")


def test_bots_are_listed_newest_first(as_alice: Caller, alice: User) -> None:
    for days, name in enumerate(["new", "middle", "old"]):
        Bot.objects.create(owner=alice, name=name, platform="sms", created_at=timezone.now() - timedelta(days=days))

    assert [bot["name"] for bot in as_alice.data("GET", "/bots")] == ["new", "middle", "old"]


def test_contacts_outlive_their_bot(as_alice: Caller, alice: User) -> None:
    bot = Bot.objects.create(owner=alice, name="Reception", platform="whatsapp")
    Contact.objects.create(owner=alice, bot=bot, name="Asha")

    response = as_alice.send("DELETE", f"/bots/{bot.pk}")

    assert response.json()["message"] == "The bot was deleted. Its contacts were kept."
    assert Contact.objects.get(name="Asha").bot is None


@pytest.mark.parametrize(
    ("body", "sentences"),
    [
        ({}, ["name is required.", "platform is required."]),
        (
            {"name": "x", "platform": "fax"},
            ["platform should be 'whatsapp', 'instagram', 'facebook', 'telegram', 'website' or 'sms'."],
        ),
        ({"name": " \t", "platform": "sms"}, ["name should be a name of 1 to 100 characters."]),
        ({"name": "x" * 101, "platform": "sms"}, ["name should be a name of 1 to 100 characters."]),
        ({"name": "a\0b", "platform": "sms"}, ["name should be a name of 1 to 100 characters."]),
        ({"name": "a\ud800b", "platform": "sms"}, ["name should be a name of 1 to 100 characters."]),
        ({"name": 7, "platform": "sms"}, ["name should be a name of 1 to 100 characters."]),
        ([], ["The body should be an object."]),
        (None, ["The body should be an object."]),
    ],
)
def test_a_bot_without_a_name_or_a_platform_is_refused(as_alice: Caller, body: object, sentences: list[str]) -> None:
    assert as_alice.refusal("POST", "/bots", body) == (422, sentences)
    assert not Bot.objects.exists()


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "bot_id", ["6743a1f09b2c4d5e6f708192", "6743A1F09B2C4D5E6F708192", "1", "%00", "%f0%9f%90%a7", "x" * 3000]
)
def test_what_is_no_bot_of_the_account_is_404(as_alice: Caller, method: str, bot_id: str) -> None:
    body = {"name": "Mine now"} if method == "PATCH" else None

    assert as_alice.refusal(method, f"/bots/{bot_id}", body) == NO_BOT


def test_somebody_elses_bot_is_404(as_bob: Caller, alice: User) -> None:
    bot = Bot.objects.create(owner=alice, name="Reception", platform="whatsapp")

    refusals = [
        as_bob.refusal(method, f"/bots/{bot.pk}", {"name": "Mine now"}) for method in ("GET", "PATCH", "DELETE")
    ]

    assert refusals == [NO_BOT] * 3
    assert list(Bot.objects.values_list("name", "owner")) == [("Reception", alice.pk)]
    assert as_bob.data("GET", "/bots") == []
