"""Deleting a bot that has many contacts: gone at once, and in short transactions."""

from itertools import islice
from typing import Any

import pytest

from accounts.models import User
from botpenguin.platform import bot_deletion
from botpenguin.platform.models import Bot, Contact
from tests import short_transactions
from tests.cast import logged_in
from tests.interleaving import just_before
from tests.platform.calls import Caller, row
from tests.short_transactions import Bound

NO_BOT = (404, ["There is no bot with this id in your account."])


@pytest.fixture
def bot(alice: User) -> Bot:
    """A bot with 120 contacts."""
    bot = Bot.objects.create(owner=alice, name="Reception", platform="whatsapp")
    Contact.objects.bulk_create(
        Contact(owner=alice, bot=bot, name=f"{number}", platform="whatsapp") for number in range(120)
    )
    return bot


@pytest.fixture(autouse=True)
def small_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_transactions, "MOST", Bound(rows=100, statements=8))


@pytest.fixture
def half_deleted(as_alice: Caller, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> Bot:
    """As with more contacts than a request lets go of."""
    monkeypatch.setattr(bot_deletion, "PARTS_OF_A_REQUEST", 1)
    as_alice.data("DELETE", f"/bots/{bot.pk}")
    return bot


def linked() -> int:
    return Contact.objects.filter(bot__isnull=False).count()


def test_its_contacts_let_go_of_it_in_short_transactions(as_alice: Caller, bot: Bot) -> None:
    as_alice.data("DELETE", f"/bots/{bot.pk}")

    assert (Bot.every.count(), linked(), Contact.objects.count()) == (0, 0, 120)


def test_on_its_page_it_is_deleted_in_the_same_way(alice: User, bot: Bot) -> None:
    response = logged_in(alice).post(f"/bots/{bot.pk}/delete/", {"is_sure": "on"}, follow=True)

    assert "Reception is deleted." in response.content.decode()
    assert (Bot.every.count(), linked()) == (0, 0)


def test_nobody_finds_it_while_contacts_still_belong_to_it(alice: User, as_alice: Caller, half_deleted: Bot) -> None:
    contact = Contact.objects.filter(bot=half_deleted)[0]
    browser = logged_in(alice)

    assert linked() == 70
    path = f"/bots/{half_deleted.pk}"
    assert [as_alice.refusal(method, path) for method in ("GET", "DELETE")] == [NO_BOT] * 2
    assert as_alice.refusal("POST", f"/inbox/users/import?botId={half_deleted.pk}", [row("Asha")]) == NO_BOT
    assert as_alice.data("GET", "/bots") == as_alice.data("GET", "/whatsapp-automation") == []
    assert as_alice.data("POST", "/inbox/users", {"_botWhatsapp": [half_deleted.pk]}) == []
    assert browser.get(f"/bots/{half_deleted.pk}/").status_code == 404
    assert "Talks to no bot." in browser.get(f"/inbox/{contact.pk}/").content.decode()


def test_housekeeping_deletes_what_is_left(half_deleted: Bot) -> None:
    steps: Any = bot_deletion.forget_deleted()

    list(islice(steps, 1))
    killed_at = linked()
    sum(bot_deletion.forget_deleted())

    assert (killed_at, linked(), Bot.every.count(), Contact.objects.count()) == (20, 0, 0, 120)


def test_one_that_is_deleted_twice_at_once_is_404_the_second_time(as_alice: Caller, bot: Bot) -> None:
    with just_before('UPDATE "platform_bot"', lambda: Bot.objects.update(is_deleted=True)):
        response = as_alice.send("DELETE", f"/bots/{bot.pk}")

    assert response.status_code == 404
