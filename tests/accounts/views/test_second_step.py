"""Codes of apps and recovery codes at the second step and at reauthentication, without scripts."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client as Browser

from accounts.models import User
from tests.accounts.views.second_step import (
    CODES,
    NEW,
    REMOVE,
    SECOND_STEP,
    SECURITY,
    SHOW,
    TWO_HOURS,
    code_of,
    give_code,
    give_password,
    is_logged_in,
    reauthentication_url,
    stored,
)
from tests.cast import PASSWORD, logged_in, reauthenticate

pytestmark = pytest.mark.matrix

REAUTHENTICATE = "/account/reauthenticate/code/"


@pytest.mark.no_cover
@pytest.mark.usefixtures("start_of_a_period")
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
    """allauth forgets a used code after one period, in which the tolerance still accepts it."""
    monkeypatch.setattr(TOTP, "_mark_code_used", lambda self, code: True)
    code = code_of(secret)
    give_code(give_password(), code)
    second = give_password()

    response = give_code(second, code)

    assert "it has been used" in response.content.decode()
    assert not is_logged_in(second)


@pytest.mark.no_cover
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


def test_a_person_without_a_second_factor_is_asked_only_for_the_password(alice: User, bob: User, secret: str) -> None:
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


def test_a_person_without_an_app_is_asked_for_the_password(alice: User) -> None:
    response = logged_in(alice).get(f"{REAUTHENTICATE}?next={SECURITY}")

    assert (response.status_code, response["Location"]) == (302, reauthentication_url(SECURITY))
