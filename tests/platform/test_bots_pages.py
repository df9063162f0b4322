"""The page Bots and its actions, without a browser."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from botpenguin.platform.models import Bot, Contact
from tests.cast import logged_in
from tests.platform.elements import columns, facts, messages, names, section, subtitle, words

pytestmark = pytest.mark.matrix

PAGE = "/bots/"
NEW = "/bots/new/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def shop(alice: User) -> Bot:
    bot = Bot.objects.create(
        owner=alice, name="Shop assistant", platform="website", created_at=datetime(2026, 3, 4, tzinfo=UTC)
    )
    Contact.objects.create(owner=alice, bot=bot, name="Cleo")
    return bot


@pytest.fixture
def night_desk(bob: User) -> Bot:
    """Somebody else's."""
    return Bot.objects.create(owner=bob, name="Night desk", platform="telegram")


def test_home_opens_the_bots(alice: User) -> None:
    response = logged_in(alice).get("/")

    assert (response.status_code, response["Location"]) == (302, PAGE)


def test_an_account_without_bots_is_shown_how_to_make_one(alice: User, night_desk: Bot) -> None:
    response = logged_in(alice).get(PAGE)

    assert section(response, "empty") == (
        "No bots yet A bot answers your customers on one channel. Your API token will open every bot you create. "
        "Create your first bot"
    )
    assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_the_page_lists_the_bots_of_its_owner_newest_first(alice: User, shop: Bot, night_desk: Bot) -> None:
    bookings = Bot.objects.create(
        owner=alice, name="Table bookings", platform="whatsapp", created_at=datetime(2026, 5, 6, tzinfo=UTC)
    )

    response = logged_in(alice).get(PAGE)

    assert columns(response, "Name", "Platform", "Contacts", "Bot ID", "Created") == [
        ["Table bookings", "WhatsApp", "0 0 contacts", bookings.pk, "6 May 2026"],
        ["Shop assistant", "Website", "1 1 contact", shop.pk, "4 Mar 2026"],
    ]


def test_the_page_takes_as_many_queries_for_many_bots_as_for_one(
    alice: User, shop: Bot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = logged_in(alice)
    Bot.objects.bulk_create(Bot(owner=alice, name=f"Bot {number}", platform="sms") for number in range(30))

    with django_assert_num_queries(4):
        response = browser.get(PAGE)

    assert len(names(response)) == 31


def test_many_bots_come_in_pages_of_fifty(alice: User) -> None:
    Bot.objects.bulk_create(Bot(owner=alice, name=f"Bot {number}", platform="sms") for number in range(51))
    browser = logged_in(alice)

    lengths = [len(names(browser.get(PAGE, {"page": page}))) for page in (1, 2)]

    assert lengths == [50, 1]


def test_a_bot_is_made_by_its_form(alice: User) -> None:
    browser = logged_in(alice)
    assert subtitle(browser.get(NEW)) == "Your API token opens it at once."

    response = browser.post(NEW, {"name": "  Shop assistant ", "platform": "website"})

    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert list(Bot.objects.values_list("owner", "name", "platform")) == [(alice.pk, "Shop assistant", "website")]
    assert messages(browser.get(PAGE)) == ["Shop assistant is created."]


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"name": "", "platform": ""}, ["Give the bot a name.", "Choose where the bot talks."]),
        ({"name": " ", "platform": "sms"}, ["Give the bot a name."]),
        ({"name": "x" * 101, "platform": "sms"}, ["Keep the name to 100 characters."]),
        ({"name": "a\0b", "platform": "sms"}, ["Null characters are not allowed."]),
        ({"name": "Shop", "platform": "pigeon"}, ["Choose one from the list."]),
    ],
)
def test_a_form_that_cannot_be_taken_says_why_and_keeps_what_was_typed(
    alice: User, typed: dict[str, str], errors: list[str]
) -> None:
    response = logged_in(alice).post(NEW, typed)

    page = response.content.decode()
    assert re.findall(r'field__error"[^>]*>([^<]+)<', page) == errors
    assert page.count("autofocus") == 1
    assert response.context["form"]["name"].value() == typed["name"]
    assert list(Bot.objects.all()) == []


def test_a_bot_has_a_page_with_its_details(alice: User, shop: Bot) -> None:
    response = logged_in(alice).get(f"{PAGE}{shop.pk}/")

    shown = {"Platform": "Website", "Contacts": "1", "Created": "4 Mar 2026", "Bot ID": shop.pk}
    assert facts(response).items() >= shown.items()
    assert '<input type="text" name="name" value="Shop assistant"' in response.content.decode()


def test_a_bot_is_renamed(alice: User, shop: Bot) -> None:
    browser = logged_in(alice)

    response = browser.post(f"{PAGE}{shop.pk}/", {"name": "Front desk", "platform": "sms", "owner": "0"})

    shop.refresh_from_db()
    assert (response.status_code, response["Location"]) == (302, f"{PAGE}{shop.pk}/")
    assert (shop.name, shop.platform, shop.owner) == ("Front desk", "website", alice)
    renamed = browser.get(response["Location"])
    assert messages(renamed) == ["Name saved."]
    assert '<h1 class="page-title"><bdi>Front desk</bdi></h1>' in renamed.content.decode()


def rename_while(shop: Bot, change: Callable[[], Any]) -> int:
    """Rename a bot, have something else happen once the page has read it, and return the status."""
    browser = logged_in(shop.owner)
    happened: list[str] = []

    def then_change(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if 'FROM "platform_bot"' in sql and not happened:
            happened.append(sql)
            change()
        return result

    with connection.execute_wrapper(then_change):
        return browser.post(f"{PAGE}{shop.pk}/", {"name": "Front desk"}).status_code


def test_renaming_a_bot_undoes_nothing_that_the_api_changes_meanwhile(shop: Bot) -> None:
    bot = Bot.objects.filter(pk=shop.pk)

    status = rename_while(shop, lambda: bot.update(platform="sms"))

    assert (status, list(bot.values_list("name", "platform"))) == (302, [("Front desk", "sms")])


def test_renaming_a_bot_that_is_deleted_meanwhile_does_not_bring_it_back(shop: Bot) -> None:
    bot = Bot.objects.filter(pk=shop.pk)

    status = rename_while(shop, bot.delete)

    assert (status, bot.exists()) == (404, False)


def test_a_name_that_cannot_be_taken_leaves_the_old_one(alice: User, shop: Bot) -> None:
    response = logged_in(alice).post(f"{PAGE}{shop.pk}/", {"name": "x" * 101})

    page = response.content.decode()
    assert '<h1 class="page-title"><bdi>Shop assistant</bdi></h1>' in page
    assert "Keep the name to 100 characters." in page
    assert f'value="{"x" * 101}"' in page
    assert Bot.objects.get().name == "Shop assistant"


@pytest.mark.parametrize(("headers", "heading"), [({}, "h1"), (HTMX, "h2")], ids=["a page", "a dialog"])
def test_deleting_asks_first_and_says_what_goes(alice: User, shop: Bot, headers: dict[str, str], heading: str) -> None:
    response = logged_in(alice).post(f"{PAGE}{shop.pk}/delete/", headers=headers)

    page = response.content.decode()
    assert re.findall(r'<(h\d)[^>]*class="dialog__title">Delete <bdi>Shop assistant</bdi>\?<', page) == [heading]
    assert ("<html" in page) == (headers == {})
    assert "Its 1 contact stays in your Inbox, without a bot." in page
    assert list(Bot.objects.all()) == [shop]


def test_a_deleted_bot_leaves_its_contacts(alice: User, shop: Bot) -> None:
    browser = logged_in(alice)

    response = browser.post(f"{PAGE}{shop.pk}/delete/", {"is_sure": "on"})

    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert list(Bot.objects.all()) == []
    assert list(alice.contacts.filter(bot=None).values_list("name", flat=True)) == ["Cleo"]
    assert messages(browser.get(PAGE)) == ["Shop assistant is deleted."]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", ["{}/", "{}/delete/"])
@pytest.mark.parametrize("whose", ["somebody else's", "nobody's", "no id"])
def test_a_bot_of_another_account_is_404(alice: User, night_desk: Bot, method: str, address: str, whose: str) -> None:
    bot_id = {"somebody else's": night_desk.pk, "nobody's": "0" * 24, "no id": "%00"}[whose]

    response = getattr(logged_in(alice), method)(PAGE + address.format(bot_id), {"name": "Mine", "is_sure": "on"})

    is_act = address.endswith("delete/") and method == "get" and whose != "no id"
    assert response.status_code == (405 if is_act else 404)
    assert ("There is no page here" in response.content.decode()) != is_act
    assert "Night desk" not in response.content.decode()
    assert list(Bot.objects.values_list("name", "owner")) == [("Night desk", night_desk.owner_id)]


@pytest.mark.parametrize("text", ["ASSISTANT", "shop  ass", " shop", "ﬆant"])
def test_bots_are_found_by_part_of_their_name(alice: User, shop: Bot, night_desk: Bot, text: str) -> None:
    Bot.objects.create(owner=alice, name="Table bookings", platform="whatsapp")

    response = logged_in(alice).get(PAGE, {"q": text})

    assert names(response) == ["Shop assistant"]
    assert "1 bot matching" in words(response)


def test_a_search_without_a_bot_leads_back_to_all(alice: User, shop: Bot, night_desk: Bot) -> None:
    response = logged_in(alice).get(PAGE, {"q": "desk"})

    assert names(response) == []
    assert section(response, "empty") == "No bot found Try part of its name. Back to all bots"
    assert 'value="desk"' in response.content.decode()
