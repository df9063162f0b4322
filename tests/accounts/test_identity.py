"""Show and Copy want a fresh proof of identity; asked here as a script asks, page by page in the browser tests."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.models import TokenEvent
from tests.cast import PASSWORD, prove_identity, sign_in, token_text

PAGE = "/developers/api-access-token/"
ACTS = ["show", "copy"]


def ask(browser: Browser, act: str) -> Any:
    return browser.post(f"{PAGE}{act}/", headers={"Accept": "application/json"})


def reauthenticate(act: str) -> str:
    return f"/account/reauthenticate/?{urlencode({'next': f'{PAGE}?confirmed={act}'})}"


def assert_proof_is_asked_for(response: Any, act: str) -> None:
    assert (response.status_code, response["HX-Redirect"]) == (403, reauthenticate(act))
    assert "no-store" in response["Cache-Control"]
    assert response.json() == {"redirect": reauthenticate(act)}
    assert not TokenEvent.objects.exclude(kind=TokenEvent.Kind.ISSUED).exists()


@pytest.mark.parametrize("act", ACTS)
def test_one_who_has_just_logged_in_is_not_asked_again(alice: User, act: str) -> None:
    browser = Browser()
    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})

    response = ask(browser, act)

    assert (response.status_code, response.json()) == (200, {"token": token_text(alice)})
    assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


@pytest.mark.parametrize(("seconds", "is_fresh"), [(3540, True), (3660, False)])
@pytest.mark.parametrize("act", ACTS)
def test_a_proof_lasts_an_hour(alice: User, act: str, seconds: int, is_fresh: bool) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=seconds)

    response = ask(browser, act)

    if is_fresh:
        assert response.json() == {"token": token_text(alice)}
    else:
        assert_proof_is_asked_for(response, act)


def test_how_long_a_proof_lasts_is_a_setting(alice: User, settings: Settings) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=10)
    settings.REAUTHENTICATION_TIMEOUT /= 3600 / 9

    assert_proof_is_asked_for(ask(browser, "copy"), "copy")


def test_a_session_without_any_proof_is_asked_for_one(alice: User) -> None:
    browser = Browser()
    browser.force_login(alice)

    assert_proof_is_asked_for(ask(browser, "show"), "show")


def test_the_proof_of_another_person_is_none(alice: User, bob: User) -> None:
    browser = sign_in(alice)
    prove_identity(browser, bob)

    assert_proof_is_asked_for(ask(browser, "copy"), "copy")


def test_giving_the_password_again_leads_back_to_the_page_and_is_a_proof(alice: User) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=7200)

    response = browser.post(reauthenticate("copy"), {"password": PASSWORD})

    assert (response.status_code, response["Location"]) == (302, f"{PAGE}?confirmed=copy")
    assert ask(browser, "copy").json() == {"token": token_text(alice)}


def test_a_wrong_password_is_no_proof(alice: User) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=7200)

    response = browser.post(reauthenticate("copy"), {"password": "guessed"})

    assert response.status_code == 200
    assert_proof_is_asked_for(ask(browser, "copy"), "copy")


def test_revoking_never_asks_who_one_is(alice: User) -> None:
    """Whoever fears a leak must not be slowed down, and it discloses nothing."""
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=7200)
    old = token_text(alice)

    response = browser.post(f"{PAGE}revoke/", {"generation": 1}, headers={"Accept": "application/json"})

    assert (response.status_code, response.json()) == (200, {"verdict": "replaced", "hint": token_text(alice)[-4:]})
    assert token_text(alice) != old


def test_an_act_without_its_csrf_token_is_refused(alice: User) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(alice)
    prove_identity(browser, alice)

    responses = [ask(browser, act) for act in (*ACTS, "revoke")]

    assert [response.status_code for response in responses] == [403, 403, 403]
    assert TokenEvent.objects.count() == 1
