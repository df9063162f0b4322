"""Setting up, using and removing an authenticator app."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from pytest_django.fixtures import Settings

from accounts.mfa import encryption
from accounts.models import User
from tests.accounts.views.second_step import (
    CODES,
    OTHER_KEY,
    REMOVE,
    SECURITY,
    SET_UP,
    code_of,
    dump,
    give_code,
    give_password,
    is_logged_in,
    key_on,
    stored,
)
from tests.cast import logged_in

pytestmark = pytest.mark.matrix


def test_an_app_is_set_up_by_a_code_of_the_key_that_was_shown(alice: User) -> None:
    browser = logged_in(alice)
    key = key_on(browser.get(SET_UP))

    response = browser.post(SET_UP, {"code": code_of(key)})

    assert (response.status_code, response["Location"]) == (302, CODES)
    assert stored(alice, Authenticator.Type.TOTP).wrap().validate_code(code_of(key, periods_away=1))
    assert "Logging in asks for its code." in browser.get(SECURITY).content.decode()


def test_a_wrong_code_sets_nothing_up_and_keeps_the_key(alice: User) -> None:
    browser = logged_in(alice)
    key = key_on(browser.get(SET_UP))

    response = browser.post(SET_UP, {"code": "000000"})

    assert (response.status_code, key_on(response)) == (200, key)
    assert "That code is not right, or it has been used." in response.content.decode()
    assert not Authenticator.objects.exists()


def test_a_code_without_a_key_shown_before_sets_nothing_up(alice: User) -> None:
    browser = logged_in(alice)

    response = browser.post(SET_UP, {"code": "000000"})

    assert response.status_code == 200
    assert not Authenticator.objects.exists()


def test_the_code_that_set_up_an_app_does_not_log_in(alice: User) -> None:
    browser = logged_in(alice)
    code = code_of(key_on(browser.get(SET_UP)))
    browser.post(SET_UP, {"code": code})

    response = give_code(give_password(), code)

    assert response.status_code == 200
    assert "it has been used" in response.content.decode()


def test_an_app_is_set_up_once(alice: User, secret: str) -> None:
    response = logged_in(alice).get(SET_UP)

    assert (response.status_code, response["Location"]) == (302, SECURITY)


def test_setting_up_an_app_again_leaves_recovery_codes_as_they_are(alice: User, recovery_codes: list[str]) -> None:
    stored(alice, Authenticator.Type.TOTP).delete()
    browser = logged_in(alice)
    key = key_on(browser.get(SET_UP))

    response = browser.post(SET_UP, {"code": code_of(key)})

    assert (response.status_code, response["Location"]) == (302, SECURITY)
    assert stored(alice, Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes() == recovery_codes


def test_the_page_of_a_new_key_is_kept_nowhere(alice: User) -> None:
    response = logged_in(alice).get(SET_UP)

    assert "no-store" in response["Cache-Control"]
    assert "data:" not in response.content.decode()


def test_turning_the_app_off_asks_first_and_takes_the_recovery_codes_along(alice: User, secret: str) -> None:
    browser = logged_in(alice)

    asked, done = browser.get(REMOVE), browser.post(REMOVE)

    assert (asked.status_code, done.status_code, done["Location"]) == (200, 302, SECURITY)
    assert not Authenticator.objects.exists()
    assert "The authenticator app is off." in browser.get(SECURITY).content.decode()


def test_nobody_sees_or_turns_off_the_app_of_another(bob: User, secret: str) -> None:
    browser = logged_in(bob)

    responses = [browser.get(REMOVE), browser.post(REMOVE)]

    assert [response.status_code for response in responses] == [404, 404]
    assert Authenticator.objects.count() == 2


def test_no_seed_is_in_the_database(alice: User) -> None:
    browser = logged_in(alice)
    key = key_on(browser.get(SET_UP))
    store: Any = browser.session
    tables = (store.model._meta.db_table, "mfa_authenticator")
    while_setting_up = str(dict(browser.session)) + dump(*tables)

    browser.post(SET_UP, {"code": code_of(key)})

    rows = while_setting_up + str(dict(browser.session)) + dump(*tables)
    codes = stored(alice, Authenticator.Type.RECOVERY_CODES)
    seed = encryption.decrypt(codes.data["seed"])
    assert [text for text in (key, seed, *codes.wrap().get_unused_codes()) if text in rows] == []
    assert encryption.decrypt(stored(alice, Authenticator.Type.TOTP).data["secret"]) == key


def test_a_server_that_has_lost_its_key_says_so_and_lets_nobody_in(
    alice: User, secret: str, settings: Settings
) -> None:
    settings.TOKEN_KEYS = [OTHER_KEY]
    browser = give_password()

    response = give_code(browser, code_of(secret))

    assert "This server cannot read your codes any more." in response.content.decode()
    assert not is_logged_in(browser)
