"""The Inbox filtered by a bot, and what leads there."""

import re
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from botpenguin.platform import usages
from botpenguin.platform.models import Bot, Contact, Segment
from tests.cast import logged_in
from tests.platform.elements import names, texts
from tests.platform.test_inbox_pages import FOUND, PAGE, make_contact

pytestmark = pytest.mark.matrix

LONG_NAME = "A bot for the questions of everybody who has ever written to us, on each of our channels, in summers"
OPTION = r"<option[^>]*>[^<]*</option>"


@pytest.fixture
def shop(alice: User) -> Bot:
    """With two contacts; a third talks to no bot."""
    shop = Bot.objects.create(owner=alice, name="Shop", platform="website")
    make_contact(alice, "Cleo", bot=shop, tags=("vip",))
    make_contact(alice, "Dora", bot=shop, minute=1)
    make_contact(alice, "Emil", minute=2)
    return shop


def selected(response: Any) -> list[str]:
    return re.findall(r'<option value="(\w+)"[^>]* selected', response.content.decode())


def test_a_bots_contacts_are_a_link(alice: User, shop: Bot) -> None:
    Bot.objects.create(owner=alice, name="Idle", platform="sms")
    browser = logged_in(alice)

    pages = [browser.get(path).content.decode() for path in ("/bots/", f"/bots/{shop.pk}/")]

    links = [re.findall(r'<a href="(/inbox/\?bot=\w+)"', page) for page in pages]
    assert links == [[f"{PAGE}?bot={shop.pk}"], [f"{PAGE}?bot={shop.pk}"]]
    assert re.findall('aria-label="([^"]*contact[^"]*)"', pages[0]) == ["2 contacts of Shop"]


def test_the_inbox_lists_a_bots_contacts(alice: User, shop: Bot) -> None:
    segment = Segment.objects.create(owner=alice, name="Customers", tags=["vip"])
    browser = logged_in(alice)

    everybody = browser.get(PAGE, {"bot": shop.pk})
    one = browser.get(PAGE, {"bot": shop.pk, "segment": segment.pk})
    nobody = browser.get(PAGE, {"bot": shop.pk, "q": "emil"})

    assert [names(page) for page in (everybody, one, nobody)] == [["Dora", "Cleo"], ["Cleo"], []]
    assert texts(everybody, FOUND) == ["2 contacts Bot: Shop All contacts"]
    assert texts(one, FOUND) == ["1 contact in Customers Bot: Shop All contacts"]
    assert (selected(everybody), selected(one)) == ([shop.pk], [segment.pk, shop.pk])


@pytest.mark.parametrize("bot", ["bob's", "deleted", "0" * 24, "nonsense", "\0"])
def test_a_bot_that_is_not_ones_own_filters_nothing(alice: User, bob: User, shop: Bot, bot: str) -> None:
    foreign = Bot.objects.create(owner=bob, name="Secret", platform="sms")
    deleted = Bot.objects.create(owner=alice, name="Secret", platform="sms", is_deleted=True)
    ids = {"bob's": foreign.pk, "deleted": deleted.pk}

    response = logged_in(alice).get(PAGE, {"bot": ids.get(bot, bot)})

    assert names(response) == ["Emil", "Dora", "Cleo"]
    assert texts(response, OPTION) == ["All bots", "Shop"]
    assert selected(response) == []


def test_an_account_without_bots_is_offered_no_choice_of_them(alice: User) -> None:
    make_contact(alice, "Emil")

    response = logged_in(alice).get(PAGE)

    assert (names(response), texts(response, OPTION)) == (["Emil"], [])


def test_bots_are_offered_by_name_and_the_chosen_one_is_always_among_them(
    alice: User, shop: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usages, "MOST_BOTS", 2)
    for name in ("Bookings", "Answers", LONG_NAME):
        Bot.objects.create(owner=alice, name=name, platform="website")
    browser = logged_in(alice)

    offered = [texts(browser.get(PAGE, query), OPTION) for query in ({}, {"bot": shop.pk})]

    assert offered == [["All bots", LONG_NAME, "Answers"], ["All bots", "Shop", LONG_NAME]]


def test_pages_of_contacts_keep_the_bot(alice: User, shop: Bot) -> None:
    Contact.objects.bulk_create(Contact(owner=alice, bot=shop, name=f"Person {number}") for number in range(60))

    response = logged_in(alice).get(PAGE, {"bot": shop.pk})

    links = re.findall(r'href="(/inbox/\?[^"]+page=\d)"', response.content.decode())
    assert set(links) == {f"/inbox/?bot={shop.pk}&amp;page={page}" for page in (1, 2)}


def test_the_inbox_of_a_bot_takes_six_queries(
    alice: User, shop: Bot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = logged_in(alice)

    with django_assert_num_queries(6):
        response = browser.get(PAGE, {"bot": shop.pk})

    assert names(response) == ["Dora", "Cleo"]


def test_a_bot_of_somebody_else_takes_six_queries_too_and_filters_nothing(
    alice: User, bob: User, shop: Bot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    theirs = Bot.objects.create(owner=bob, name="Bob's", platform="sms")
    browser = logged_in(alice)

    with django_assert_num_queries(6):
        response = browser.get(PAGE, {"bot": theirs.pk})

    assert sorted(names(response)) == ["Cleo", "Dora", "Emil"]


@pytest.mark.parametrize("kind", ["bots", "inbox"])
def test_an_id_can_be_copied(alice: User, shop: Bot, kind: str) -> None:
    [pk, *_] = [shop.pk] if kind == "bots" else alice.contacts.values_list("pk", flat=True)

    response = logged_in(alice).get(f"/{kind}/{pk}/")

    assert texts(response, r'<dd class="id">.*?</dd>') == [pk]
    page = response.content.decode()
    [named] = re.findall('data-copy-text="([^"]+)"', page)
    assert re.findall(f'id="({named}[^"]*)"', page) == [named, f"{named}-status"]
