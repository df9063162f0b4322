"""(fresh, stale proof) × (Show, Copy, Try it, Revoke) × (htmx, fetch, plain form): what is asked, and the way back."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from accounts.models import User
from developers.models import ApiToken, TokenEvent
from tests.cast import PASSWORD, prove_identity, sign_in, token_text

PAGE = "/developers/api-access-token/"
HOUR = 3600
WAYS = {"htmx": {"HX-Request": "true"}, "fetch": {"Accept": "application/json"}, "plain": {}}


def act(browser: Browser, name: str, way: str) -> Any:
    return browser.post(f"{PAGE}{name}/", {"generation": 1}, headers=WAYS[way])


def way_to_confirm(name: str) -> str:
    back = f"{PAGE}?{urlencode({'confirmed': name})}"
    return f"/account/reauthenticate/?{urlencode({'next': back})}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["show", "copy"])
def test_with_a_fresh_proof_the_token_is_in_the_answer(alice: User, name: str, way: str) -> None:
    browser = sign_in(alice)

    response = act(browser, name, way)

    assert response.status_code == 200
    assert response.content.decode().count(token_text(alice)) == 1
    assert "no-store" in response["Cache-Control"]
    assert TokenEvent.objects.latest("pk").kind == {"show": "shown", "copy": "copied"}[name]


def test_with_a_fresh_proof_a_script_gets_the_token_to_try(alice: User) -> None:
    browser = sign_in(alice)

    response = act(browser, "try", "fetch")

    assert response.json() == {"token": token_text(alice)}
    assert "no-store" in response["Cache-Control"]
    assert TokenEvent.objects.latest("pk").kind == "tried"


@pytest.mark.parametrize("way", ["htmx", "plain"])
@pytest.mark.parametrize("seconds_ago", [0, HOUR + 1])
def test_a_page_has_no_use_for_the_token_to_try_and_gets_none(alice: User, way: str, seconds_ago: int) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=seconds_ago)

    response = act(browser, "try", way)

    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert list(TokenEvent.objects.values_list("kind", flat=True)) == ["issued"]


@pytest.mark.parametrize("name", ["show", "copy"])
@pytest.mark.parametrize("seconds_ago", [HOUR + 1, 24 * HOUR])
def test_with_a_stale_proof_htmx_is_sent_to_confirm(alice: User, name: str, seconds_ago: int) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=seconds_ago)

    response = act(browser, name, "htmx")

    assert (response.status_code, response["HX-Redirect"]) == (403, way_to_confirm(name))
    assert response.content == b""


@pytest.mark.parametrize("name", ["show", "copy", "try"])
def test_with_a_stale_proof_a_script_is_sent_to_confirm(alice: User, name: str) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=HOUR + 1)

    response = act(browser, name, "fetch")

    assert (response.status_code, response["HX-Redirect"]) == (403, way_to_confirm(name))
    assert response.json() == {"redirect": way_to_confirm(name)}


@pytest.mark.parametrize("name", ["show", "copy"])
def test_with_a_stale_proof_a_plain_form_is_redirected_to_confirm(alice: User, name: str) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=HOUR + 1)

    response = act(browser, name, "plain")

    assert (response.status_code, response["Location"]) == (302, way_to_confirm(name))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["show", "copy", "try"])
def test_nothing_is_recorded_or_kept_of_an_act_that_was_not_carried_out(alice: User, name: str, way: str) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=HOUR + 1)
    before = dict(browser.session)

    act(browser, name, way)

    assert dict(browser.session) == before
    assert list(TokenEvent.objects.values_list("kind", flat=True)) == ["issued"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seconds_ago", [0, HOUR + 1, 24 * HOUR])
def test_revoking_is_never_held_up_and_discloses_nothing(alice: User, way: str, seconds_ago: int) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=seconds_ago)
    old = token_text(alice)

    response = act(browser, "revoke", way)

    assert ApiToken.objects.get().generation == 2
    assert old not in response.content.decode()
    assert token_text(alice) not in response.content.decode()


def test_after_confirming_the_try_the_page_says_so_beside_its_button(alice: User) -> None:
    page = sign_in(alice).get(f"{PAGE}?confirmed=try").content.decode()

    assert page.count("Confirmed. Try again.") == page.count("autofocus") == 1
    assert "Hidden. Only the last four characters are shown." in page


def test_confirming_by_password_leads_back_to_the_button(alice: User) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=HOUR + 1)
    stale = act(browser, "copy", "plain")

    confirmed = browser.post(stale["Location"], {"password": PASSWORD})
    page = browser.get(confirmed["Location"])

    assert confirmed["Location"] == f"{PAGE}?confirmed=copy"
    assert "Confirmed. Copy again." in page.content.decode()
    assert act(browser, "copy", "fetch").json() == {"token": token_text(alice)}


def test_a_session_without_any_proof_counts_as_stale(alice: User) -> None:
    browser = Browser()
    browser.force_login(alice)

    response = act(browser, "show", "plain")

    assert response["Location"] == way_to_confirm("show")


def test_the_timeout_is_a_setting(alice: User, settings: Settings) -> None:
    settings.REAUTHENTICATION_TIMEOUT = timedelta(minutes=1)
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=61)

    response = act(browser, "show", "plain")

    assert response["Location"] == way_to_confirm("show")
