"""What counts as a reauthentication, and for how long. `test_reauthentication_table` lists what needs one."""

import time
from typing import Any
from urllib.parse import urlencode

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY as RECORDS_KEY
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.security_log import Kind
from tests.cast import PASSWORD, logged_in, reauthenticate, token_events, token_text

pytestmark = pytest.mark.matrix

PAGE = "/developers/api-access-token/"
REAUTHENTICATE = f"/account/reauthenticate/?{urlencode({'next': f'{PAGE}?confirmed=copy'})}"


def ask(browser: Browser, action: str = "copy") -> Any:
    return browser.post(f"{PAGE}{action}/", headers={"Accept": "application/json"})


def assert_reauthentication_is_asked_for(response: Any) -> None:
    assert (response.status_code, response.json()) == (403, {"redirect": REAUTHENTICATE})
    assert not token_events().exclude(kind=Kind.TOKEN_ISSUED).exists()


def test_a_person_who_has_just_logged_in_is_not_asked_again(alice: User) -> None:
    browser = Browser()
    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})

    response = ask(browser)

    assert (response.status_code, response.json()) == (200, {"token": token_text(alice)})
    assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("seconds", "is_fresh"),
    [(3500, True), (3601, False), (24 * 3600, False), (-2, True), (-60, False), (-3600, False), (-(10**9), False)],
)
def test_an_authentication_counts_for_an_hour(alice: User, seconds: int, is_fresh: bool) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=seconds)

    response = ask(browser)

    if is_fresh:
        assert response.json() == {"token": token_text(alice)}
    else:
        assert_reauthentication_is_asked_for(response)


def test_an_authentication_dated_in_the_future_hides_no_good_one(alice: User) -> None:
    browser = logged_in(alice)
    session = browser.session
    session[RECORDS_KEY] = [*session[RECORDS_KEY], session[RECORDS_KEY][0] | {"at": time.time() + 3600}]
    session.save()

    assert ask(browser).json() == {"token": token_text(alice)}


def test_how_long_an_authentication_counts_is_a_setting(alice: User, settings: Settings) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=10)
    settings.REAUTHENTICATION_TIMEOUT /= 3600 / 9

    assert_reauthentication_is_asked_for(ask(browser))


def test_a_session_without_authentication_records_is_asked_to_reauthenticate(alice: User) -> None:
    browser = Browser()
    browser.force_login(alice)

    assert_reauthentication_is_asked_for(ask(browser))


def test_the_authentication_of_another_person_does_not_count(alice: User, bob: User) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, bob)

    assert_reauthentication_is_asked_for(ask(browser))


def test_a_wrong_password_does_not_reauthenticate(alice: User) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=7200)

    response = browser.post(REAUTHENTICATE, {"password": "guessed"})

    assert response.status_code == 200
    assert_reauthentication_is_asked_for(ask(browser))


def test_an_action_without_its_csrf_token_is_refused(alice: User) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(alice)
    reauthenticate(browser, alice)

    responses = [ask(browser, action) for action in ("show", "copy", "try", "revoke")]

    assert [response.status_code for response in responses] == [403] * 4
    assert token_events().count() == 1
