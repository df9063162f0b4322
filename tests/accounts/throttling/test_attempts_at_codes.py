"""Attempts at codes of the second step are limited over all unknown browsers, and over all known ones."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.test import Client as Browser

from accounts.models import User
from tests.accounts.throttling.visitors import (
    ATTACKER,
    NEW_PASSWORD,
    addresses,
    at,
    code_of,
    is_logged_in,
    log_in,
    statuses,
)

pytestmark = [pytest.mark.matrix, pytest.mark.django_db]

SECOND_STEP = "/account/login/second-step/"


@pytest.fixture
def secret(alice: User) -> str:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    RecoveryCodes.activate(alice)
    return secret


def try_codes(browser: Browser, times: int) -> list[int]:
    log_in(browser)
    return [browser.post(SECOND_STEP, {"code": "000000"}).status_code for _time in range(times)]


def test_attempts_at_codes_are_limited_over_all_addresses(alice: User, secret: str) -> None:
    fresh = addresses()

    answers = [try_codes(at(next(fresh)), 5) for _address in range(5)]
    refused = at(next(fresh))
    log_in(refused)
    page = refused.post(SECOND_STEP, {"code": code_of(secret)})

    assert answers == [[200] * 5] * 4 + [[429] * 5]
    assert (page.status_code, is_logged_in(refused)) == (429, False)
    assert "Reset your password, and you can log in again at once." in page.content.decode()
    assert "or wait 24 hours." in page.content.decode()


@pytest.mark.no_cover
@pytest.mark.usefixtures("low_limits")
def test_attempts_of_unknown_browsers_do_not_keep_a_known_one_from_the_second_step(alice: User, secret: str) -> None:
    browser = at("203.0.113.9")
    log_in(browser)
    browser.post(SECOND_STEP, {"code": code_of(secret)})
    browser.post("/account/logout/")
    tried = [try_codes(at(ip), 2) for _address, ip in zip(range(3), addresses(), strict=False)]

    log_in(browser)
    answer = browser.post(SECOND_STEP, {"code": code_of(secret, 1)})

    assert tried == [[200] * 2] * 2 + [[429] * 2]
    assert (answer.status_code, is_logged_in(browser)) == (302, True)


@pytest.mark.no_cover
@pytest.mark.usefixtures("low_limits")
def test_browsers_without_a_code_of_this_app_are_unknown_to_it(alice: User, clock: list[float]) -> None:
    """An attacker who knows the password can collect known browsers, most easily before there is a second step."""
    browsers = [at(ip) for _browser, ip in zip(range(3), addresses(), strict=False)]
    for browser in browsers:
        log_in(browser)
        browser.post("/account/logout/")
        clock[0] += 1
    old = generate_totp_secret()
    TOTP.activate(alice, old)
    log_in(browsers[0])
    browsers[0].post(SECOND_STEP, {"code": code_of(old)})
    browsers[0].post("/account/logout/")
    Authenticator.objects.all().delete()
    new, known = generate_totp_secret(), at("203.0.113.9")
    TOTP.activate(alice, new)
    log_in(known)
    known.post(SECOND_STEP, {"code": code_of(new)})
    known.post("/account/logout/")

    answers = []
    for browser in browsers:
        answers += try_codes(browser, 2)
        clock[0] += 301

    assert answers == [200] * 4 + [429] * 2
    log_in(known)
    known.post(SECOND_STEP, {"code": code_of(new, 1)})
    assert is_logged_in(known)


@pytest.mark.usefixtures("low_limits")
def test_browsers_past_the_second_step_share_the_tries_of_a_day(alice: User, secret: str, clock: list[float]) -> None:
    browsers = [at(ip) for _browser, ip in zip(range(2), addresses(), strict=False)]
    for browser in browsers:
        log_in(browser)
        browser.post(SECOND_STEP, {"code": code_of(secret)})
        browser.post("/account/logout/")
        clock[0] += 120

    answers = []
    for browser in [*browsers, browsers[0]]:
        answers += try_codes(browser, 2)
        clock[0] += 301

    assert answers == [200] * 4 + [429] * 2
    assert try_codes(at("203.0.113.9"), 1) == [200]


@pytest.mark.usefixtures("low_limits")
def test_logging_in_repeatedly_gives_a_browser_no_more_attempts(
    alice: User, bob: User, secret: str, clock: list[float]
) -> None:
    browser = at(ATTACKER)
    log_in(browser)
    browser.post(SECOND_STEP, {"code": code_of(secret)})

    answers: dict[str, list[int]] = {"password": [], "code": []}
    for _time in range(3):
        clock[0] += 1
        browser.post("/account/logout/")
        log_in(browser, email="bob@example.org")
        browser.post("/account/logout/")
        answers["password"] += statuses(1, browser)
    cache.clear()
    for _time in range(3):
        clock[0] += 1
        answers["code"] += try_codes(browser, 1)
        browser.post("/account/login/start-again/")
        log_in(browser, email="bob@example.org")
        browser.post("/account/logout/")

    assert answers == {"password": [200] * 2 + [429], "code": [200] * 2 + [429]}


@pytest.mark.no_cover
@pytest.mark.usefixtures("low_limits")
def test_a_new_password_opens_the_second_step_again_at_once(alice: User, secret: str) -> None:
    tried = [try_codes(at(ip), 2) for _address, ip in zip(range(3), addresses(), strict=False)]
    alice.set_password(NEW_PASSWORD)
    alice.save()
    browser = at("203.0.113.9")

    log_in(browser, NEW_PASSWORD)
    answer = browser.post(SECOND_STEP, {"code": code_of(secret)})

    assert tried[-1] == [429] * 2
    assert (answer.status_code, is_logged_in(browser)) == (302, True)
