"""Authenticator apps and recovery codes, as a browser without scripts meets them."""

import re
import secrets
import time
from typing import Any

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.mfa import encryption
from accounts.models import User
from tests.cast import PASSWORD, logged_in, reauthenticate

pytestmark = pytest.mark.matrix

SECURITY = "/account/security/"
SET_UP = "/account/security/authenticator/"
REMOVE = "/account/security/authenticator/remove/"
CODES = "/account/security/recovery-codes/"
SHOW = "/account/security/recovery-codes/show/"
NEW = "/account/security/recovery-codes/new/"
SECOND_STEP = "/account/login/second-step/"
REAUTHENTICATE = "/account/reauthenticate/code/"
TWO_HOURS = 7200
OTHER_KEY = secrets.token_urlsafe(32)


@pytest.fixture
def secret(alice: User) -> str:
    """The secret of Alice's app. She has recovery codes too."""
    secret = pyotp.random_base32()
    TOTP.activate(alice, secret)
    RecoveryCodes.activate(alice)
    return secret


@pytest.fixture
def recovery_codes(alice: User, secret: str) -> list[str]:
    return stored(alice, Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()  # type: ignore[no-any-return]


def stored(user: User, kind: str) -> Authenticator:
    found: Authenticator = Authenticator.objects.get(user=user, type=kind)
    return found


def code_of(secret: str, *, periods_away: int = 0) -> str:
    """Return the code that another app shows, now or some periods of 30 seconds away."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * periods_away)


def give_password(path: str = "/account/login/") -> Browser:
    """Return a browser at the second step."""
    browser = Browser()
    response = browser.post(path, {"login": "alice@example.com", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, SECOND_STEP)
    return browser


def give_code(browser: Browser, code: str) -> Any:
    return browser.post(SECOND_STEP, {"code": code})


def is_logged_in(browser: Browser) -> bool:
    return browser.get("/account/").status_code == 200


def key_on(page: Any) -> str:
    """Return the key that is on the page for those without a camera."""
    match = re.search(r"\b[A-Z2-7]{32}\b", page.content.decode())
    assert match
    return match[0]


def dump(*tables: str) -> str:
    """Return every row of some tables, as a thief of the database reads them."""
    with connection.cursor() as cursor:
        rows = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - a name of this test
            rows += cursor.fetchall()
    return str(rows)


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


@pytest.mark.parametrize("periods_away", [-1, 0, 1])
def test_a_code_logs_in_after_the_password_and_leads_where_one_was_going(
    alice: User, secret: str, periods_away: int
) -> None:
    browser = give_password("/account/login/?next=/inbox/")
    assert not is_logged_in(browser)

    response = give_code(browser, code_of(secret, periods_away=periods_away))

    assert (response.status_code, response["Location"]) == (302, "/inbox/")
    assert is_logged_in(browser)


def test_a_code_works_once(alice: User, secret: str) -> None:
    code = code_of(secret)
    give_code(give_password(), code)
    second = give_password()

    response = give_code(second, f" {code[:3]} {code[3:]}")

    assert response.status_code == 200
    assert not is_logged_in(second)


def test_a_code_that_two_browsers_send_at_once_works_once(
    alice: User, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """allauth forgets a code after one period; with a tolerance it is still good then."""
    monkeypatch.setattr(TOTP, "_mark_code_used", lambda self, code: True)
    code = code_of(secret)
    give_code(give_password(), code)
    second = give_password()

    response = give_code(second, code)

    assert "it has been used" in response.content.decode()
    assert not is_logged_in(second)


@pytest.mark.parametrize("code", ["", "000000", "not a code", "१२३४५६", "1" * 5000])
def test_a_wrong_code_does_not_log_in(alice: User, secret: str, code: str) -> None:
    browser = give_password()

    response = give_code(browser, code)

    assert response.status_code == 200
    assert not is_logged_in(browser)


def test_a_second_step_takes_five_wrong_codes(alice: User, secret: str) -> None:
    browser = give_password()
    for _time in range(5):
        give_code(browser, "000000")

    response = give_code(browser, code_of(secret))

    assert response.status_code == 429
    assert "Too many attempts. Try again in 5 minutes." in response.content.decode()
    assert not is_logged_in(browser)


def test_the_second_step_without_the_first_leads_to_it(alice: User, secret: str) -> None:
    browser = Browser()

    responses = [browser.get(SECOND_STEP), give_code(browser, code_of(secret))]

    assert [(response.status_code, response["Location"]) for response in responses] == [(302, "/account/login/")] * 2
    assert not is_logged_in(browser)


def test_one_without_a_second_factor_is_asked_for_the_password_only(alice: User, bob: User, secret: str) -> None:
    browser = Browser()

    response = browser.post("/account/login/", {"login": "bob@example.org", "password": PASSWORD})

    assert (response.status_code, response["Location"]) == (302, "/")
    assert is_logged_in(browser)


def test_a_recovery_code_logs_in_once(alice: User, recovery_codes: list[str]) -> None:
    first, second = give_password(), give_password()

    responses = [give_code(first, recovery_codes[3]), give_code(second, recovery_codes[3])]

    assert [response.status_code for response in responses] == [302, 200]
    assert (is_logged_in(first), is_logged_in(second)) == (True, False)
    assert "9 codes left" in first.get(SECURITY).content.decode()


def test_recovery_codes_are_shown_once(alice: User, recovery_codes: list[str]) -> None:
    browser = logged_in(alice)

    responses = [browser.get(CODES), browser.post(SHOW), browser.post(SHOW), browser.get(CODES)]

    shown = [[code for code in recovery_codes if code in response.content.decode()] for response in responses]
    assert [response.status_code for response in responses] == [200, 200, 302, 200]
    assert shown == [[], recovery_codes, [], []]
    assert "no-store" in responses[1]["Cache-Control"]


def test_new_recovery_codes_end_the_old_ones(alice: User, recovery_codes: list[str]) -> None:
    browser = logged_in(alice)
    browser.post(SHOW)

    response = browser.post(NEW)

    assert (response.status_code, response["Location"]) == (302, CODES)
    new = stored(alice, Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()
    assert set(new).isdisjoint(recovery_codes)
    assert all(code in browser.post(SHOW).content.decode() for code in new[:1])
    assert give_code(give_password(), recovery_codes[0]).status_code == 200


def test_recovery_codes_need_something_to_recover_from(alice: User) -> None:
    browser = logged_in(alice)

    responses = [browser.get(CODES), browser.post(SHOW), browser.post(NEW)]

    assert [response["Location"] for response in responses] == [SECURITY, CODES, CODES]
    assert not Authenticator.objects.exists()


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


def reauthentication_url(back: str) -> str:
    quoted = back.replace("/", "%2F").replace("?", "%3F").replace("=", "%3D")
    return f"/account/reauthenticate/?next={quoted}"


def test_a_code_reauthenticates_and_leads_back(alice: User, secret: str) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=TWO_HOURS)

    response = browser.post(f"{REAUTHENTICATE}?next={REMOVE}", {"code": code_of(secret), "next": REMOVE})

    assert (response.status_code, response["Location"]) == (302, REMOVE)
    assert browser.get(REMOVE).status_code == 200


def test_a_wrong_code_does_not_reauthenticate(alice: User, secret: str) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=TWO_HOURS)

    response = browser.post(REAUTHENTICATE, {"code": "000000", "next": REMOVE})

    assert response.status_code == 200
    assert browser.get(REMOVE)["Location"] == reauthentication_url(REMOVE)


def test_one_without_an_app_is_asked_for_the_password(alice: User) -> None:
    response = logged_in(alice).get(f"{REAUTHENTICATE}?next={SECURITY}")

    assert (response.status_code, response["Location"]) == (302, reauthentication_url(SECURITY))


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
