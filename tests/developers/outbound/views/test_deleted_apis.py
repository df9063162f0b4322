"""Deleted APIs on the pages: out of use in every tab, and brought back from the notice or the list."""

import re
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import deletion
from accounts.models import User
from developers.outbound.api_deletion import EXPIRED, KEPT_FOR
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import logged_in
from tests.developers.outbound.views.pages import GET, HTMX, PAGE, address, form_of, words
from tests.interleaving import just_before

pytestmark = pytest.mark.matrix


def delete(browser: Browser, api: OutboundApi) -> str:
    return words(browser.post(address(api, "delete/"), {"is_sure": "on"}, follow=True))


def test_the_notice_and_the_list_offer_to_bring_it_back(alice: User, bob: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    asked = words(browser.post(address(weather, "delete/")))

    page = browser.post(address(weather, "delete/"), {"is_sure": "on"}, follow=True).content.decode()

    assert "You can bring it back for 10 minutes" in asked
    assert "undo" not in asked
    assert re.findall(r'action="([^"]+/restore/)"', page) == [address(weather, "restore/")] * 2
    later = words(browser.get(PAGE))
    assert "Deleted Nothing can run these." in later
    assert re.search(r"Weather POST deleted today at \d\d:\d\d Bring back", later)
    assert "Undo" not in later
    assert "Bring back" not in words(logged_in(bob).get(PAGE))
    assert "Bring back" not in words(browser.get(PAGE, {"q": "x"}))
    back = words(browser.post(address(weather, "restore/"), follow=True))
    assert "Weather is back." in back
    assert "Bring back" not in back


def test_it_comes_back_under_another_name_if_its_own_is_taken(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    delete(browser, weather)
    OutboundApi.objects.make(alice, "weather", Recipe("GET", "https://api.example.com/"))

    back = words(browser.post(address(weather, "restore/"), follow=True))

    assert "Weather is back as Weather copy, since another API has its name." in back


def test_what_cannot_come_back_says_why(alice: User, weather: OutboundApi, settings: Settings) -> None:
    browser = logged_in(alice)
    delete(browser, weather)
    settings.QUOTA_APIS = 0
    full = words(browser.post(address(weather, "restore/"), follow=True))
    OutboundApi.every.update(deleted_at=timezone.now() - KEPT_FOR)
    late = words(browser.post(address(weather, "restore/"), follow=True))

    assert "You have 0 of 0 APIs." in full
    assert "Bring back" in full
    assert "This API is gone for good. One can be brought back for 10 minutes." in late
    assert "Bring back" not in late


def test_an_api_of_somebody_else_is_not_brought_back(alice: User, shop: OutboundApi) -> None:
    OutboundApi.objects.update(deleted_at=timezone.now())

    response = logged_in(alice).post(address(shop, "restore/"), follow=True)

    assert "This API is gone for good." in words(response)
    assert not OutboundApi.objects.exists()


@pytest.mark.parametrize("action", ["duplicate/", "delete/"])
def test_another_tab_neither_copies_nor_deletes_it_again(alice: User, weather: OutboundApi, action: str) -> None:
    browser = logged_in(alice)
    delete(browser, weather)

    page = words(browser.post(address(weather, action), {"is_sure": "on"}, follow=True))
    by_script = browser.post(address(weather, action), headers=HTMX)

    assert "Weather is deleted already. Bring it back to use it." in page
    assert "Bring back" in page
    assert (by_script.status_code, by_script["HX-Redirect"]) == (200, PAGE)
    assert browser.get(address(weather)).status_code == 404
    assert OutboundApi.every.count() == 1
    OutboundApi.every.update(deleted_at=EXPIRED)
    assert browser.post(address(weather, action), {"is_sure": "on"}).status_code == 404


def test_another_tab_loses_nothing_that_was_typed(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    form = form_of(browser.get(address(weather))) | {"name": "Weather of today"}
    delete(browser, weather)

    rows = browser.post(address(weather, "rows/"), form | {"add_row": "headers"}, headers=HTMX)
    tested = browser.post(address(weather, "test/"), form | {"sample-city": "Oslo", "sample-name": "A"}, headers=HTMX)
    refused = browser.post(address(weather), form)

    assert rows.status_code == 200
    assert "This API was deleted meanwhile. Nothing was sent. Bring it back to test it." in words(tested)
    assert not ApiLog.objects.exists()
    assert "This API was deleted meanwhile, in another tab or device. Nothing was saved." in words(refused)
    assert form_of(refused)["name"] == "Weather of today"
    browser.post(address(weather, "restore/"))
    assert "Weather of today is saved." in words(browser.post(address(weather), form_of(refused), follow=True))


def test_a_closed_account_brings_nothing_back(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    delete(browser, weather)

    with just_before('SELECT "accounts_user"."id" AS', lambda: deletion._close(alice)) as met:
        response = browser.post(address(weather, "restore/"))

    assert met
    assert response["Location"].startswith("/account/login/")
    assert not OutboundApi.objects.exists()


def test_the_name_of_a_deleted_api_is_free(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    delete(browser, weather)

    saved = browser.post(f"{PAGE}new/", GET | {"name": "weather"}, follow=True)

    assert "weather is saved." in words(saved)


def test_the_page_of_one_account_shows_no_time_after_which_nothing_comes_back(
    alice: User, weather: OutboundApi
) -> None:
    browser = logged_in(alice)
    delete(browser, weather)
    OutboundApi.every.update(deleted_at=timezone.now() - KEPT_FOR + timedelta(minutes=1))
    assert 'aria-label="Bring back Weather"' in browser.get(PAGE).content.decode()

    OutboundApi.every.update(deleted_at=timezone.now() - KEPT_FOR)

    assert "No APIs yet" in words(browser.get(PAGE))
    assert "Bring back" not in words(browser.get(PAGE))
