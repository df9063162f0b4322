"""The tab 3rd Party Apps API and its actions, without a browser."""

import re

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from developers.outbound.copying import MOST_COPIES
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import logged_in
from tests.developers.outbound.views.pages import GET, HTMX, PAGE, address, words

pytestmark = pytest.mark.matrix


def test_developers_opens_this_tab_and_both_tabs_are_on_both_pages(alice: User) -> None:
    browser = logged_in(alice)

    response = browser.get("/developers/")

    assert (response.status_code, response["Location"]) == (302, PAGE)
    for path, current in ((PAGE, "3rd Party Apps API"), ("/developers/api-access-token/", "API Access Token")):
        tabs = browser.get(path).content.decode().partition('<nav class="tabs"')[2].partition("</nav>")[0]
        assert re.findall(r'href="([^"]+)"', tabs) == [PAGE, "/developers/api-access-token/"]
        assert re.findall(r'aria-current="page">([^<]+)<', tabs) == [current]


def test_without_apis_the_page_says_what_one_is_for(alice: User, shop: OutboundApi) -> None:
    response = logged_in(alice).get(PAGE)

    assert "No APIs yet" in words(response)
    assert "Shop" not in words(response)
    assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


@pytest.mark.parametrize(("text", "found"), [("wea", True), ("API.EXAMPLE", True), ("orders", False)])
def test_an_api_is_found_by_its_name_or_url(alice: User, weather: OutboundApi, text: str, found: bool) -> None:
    response = logged_in(alice).get(PAGE, {"q": text})

    assert (address(weather) in response.content.decode(), "No API found" in words(response)) == (found, not found)


def test_the_pages_take_as_many_queries_for_many_apis_as_for_one(
    alice: User, weather: OutboundApi, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = logged_in(alice)
    for number in range(20):
        OutboundApi.objects.make(alice, f"API {number}", Recipe("GET", "https://api.example.com"))
        ApiLog.objects.create(
            owner=alice, api=weather, api_name="Weather", kind="test", method="GET", url="https://x.test"
        )

    for path, queries in ((PAGE, 6), (address(weather), 6), (f"{PAGE}logs/", 6)):
        with django_assert_num_queries(queries):
            browser.get(path)


def test_a_copy_holds_the_secrets_too_under_a_name_of_its_own(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)

    for _ in range(2):
        browser.post(address(weather, "duplicate/"))

    copies = OutboundApi.objects.exclude(pk=weather.pk).order_by("name")
    assert [copy.name for copy in copies] == ["Weather copy", "Weather copy 2"]
    assert [copy.recipe() for copy in copies] == [weather.recipe()] * 2


def test_too_many_copies_are_refused_with_a_sentence(alice: User, weather: OutboundApi) -> None:
    for number in range(MOST_COPIES):
        OutboundApi.objects.make(alice, f"Weather copy {number + 1}" if number else "Weather copy", weather.recipe())

    response = logged_in(alice).post(address(weather, "duplicate/"), follow=True)

    assert "There are many copies of Weather already. Rename or delete some first." in words(response)
    assert OutboundApi.objects.count() == MOST_COPIES + 1


@pytest.mark.parametrize(("headers", "heading"), [({}, "h1"), (HTMX, "h2")], ids=["a page", "a dialog"])
def test_deleting_asks_first(alice: User, weather: OutboundApi, headers: dict[str, str], heading: str) -> None:
    browser = logged_in(alice)

    asked = browser.post(address(weather, "delete/"), headers=headers)
    assert list(OutboundApi.objects.all()) == [weather]
    deleted = browser.post(address(weather, "delete/"), {"is_sure": "on"}, follow=True)

    question = r'<(h\d)[^>]*class="dialog__title">Delete <bdi>Weather</bdi>\?<'
    assert re.findall(question, asked.content.decode()) == [heading]
    assert "Weather is deleted. Undo" in words(deleted)
    assert not OutboundApi.objects.exists()


@pytest.mark.parametrize(
    ("action", "method"),
    [
        ("", "get"),
        *((action, "post") for action in ("", "rows/", "test/", "duplicate/", "delete/")),
        *(
            pytest.param(action, "get", marks=pytest.mark.release)
            for action in ("rows/", "test/", "duplicate/", "delete/")
        ),
    ],
)
def test_an_api_of_somebody_else_is_not_there(alice: User, shop: OutboundApi, action: str, method: str) -> None:
    response = getattr(logged_in(alice), method)(address(shop, action), GET | {"is_sure": "on"})

    assert response.status_code == (405 if action and method == "get" else 404)
    assert "Shop" not in response.content.decode()
    assert OutboundApi.objects.get().name == "Shop"


@pytest.mark.parametrize("action", ["new/", "new/rows/", "new/test/", "import/"])
def test_a_forged_form_changes_nothing(alice: User, action: str) -> None:
    browser = logged_in(alice)
    browser.handler.enforce_csrf_checks = True

    response = browser.post(PAGE + action, GET)

    assert response.status_code == 403
    assert not OutboundApi.objects.exists()
