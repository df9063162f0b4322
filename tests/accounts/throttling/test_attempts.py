"""Attempts at passwords and codes are limited for attackers, and never for the owner elsewhere."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core.cache import cache
from django.test import Client as Browser
from django.test import RequestFactory

from accounts.models import User
from accounts.throttling import rate_limits
from accounts.throttling.defaults import RATE_LIMITS
from tests.accounts.mail.mails import link_in, newest
from tests.cast import PASSWORD, logged_in, reauthenticate

pytestmark = [pytest.mark.matrix, pytest.mark.django_db]

ALICE, ATTACKER = "alice@example.com", "198.51.100.7"
SECOND_STEP = "/account/login/second-step/"
NEW_PASSWORD = "another good passphrase"
WRONG = "guessed wrong"


def at(ip: str) -> Browser:
    return Browser(REMOTE_ADDR=ip)


def log_in(browser: Browser, password: str = PASSWORD, email: str = ALICE) -> Any:
    return browser.post("/account/login/", {"login": email, "password": password})


def statuses(times: int, browser: Browser, password: str = WRONG, email: str = ALICE) -> list[int]:
    return [log_in(browser, password, email).status_code for _time in range(times)]


def is_logged_in(browser: Browser) -> bool:
    return browser.get("/account/").status_code == 200


def addresses(network: str = "198.51.100.{}") -> Iterator[str]:
    return (network.format(number) for number in range(1, 250))


@pytest.fixture
def secret(alice: User) -> str:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    RecoveryCodes.activate(alice)
    return secret


def code_of(secret: str, periods: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + periods))


def try_codes(browser: Browser, times: int) -> list[int]:
    log_in(browser)
    return [browser.post(SECOND_STEP, {"code": "000000"}).status_code for _time in range(times)]


def test_ten_wrong_passwords_are_refused_for_that_client_and_the_owner_gets_in_elsewhere(alice: User) -> None:
    attacker, owner = at(ATTACKER), at("203.0.113.9")

    attempts = statuses(10, attacker)
    right_but_late = log_in(attacker)
    entered = log_in(owner)

    assert attempts == [200] * 5 + [429] * 5
    assert (right_but_late.status_code, int(right_but_late["Retry-After"]) > 290) == (429, True)
    assert "Too many attempts. Try again in 5 minutes." in right_but_late.content.decode()
    assert (entered.status_code, is_logged_in(owner)) == (302, True)


def test_once_the_wait_is_over_one_gets_in(alice: User, clock: list[float]) -> None:
    attacker = at(ATTACKER)
    statuses(5, attacker)
    wait = int(log_in(attacker)["Retry-After"])

    clock[0] = wait + 1

    assert log_in(attacker).status_code == 302


def test_a_right_password_counts_as_no_attempt(alice: User) -> None:
    answers = [log_in(at(ATTACKER)).status_code for _time in range(12)]

    assert answers == [302] * 12


def test_a_known_browser_gets_in_from_the_address_of_an_attacker(alice: User) -> None:
    browser = at(ATTACKER)
    log_in(browser)
    browser.post("/account/logout/")

    statuses(10, at(ATTACKER))

    assert log_in(browser).status_code == 302


def test_a_known_browser_has_no_more_attempts_than_others(alice: User) -> None:
    browser = at("203.0.113.9")
    log_in(browser)
    browser.post("/account/logout/")

    assert statuses(6, browser) == [200] * 5 + [429]


def test_a_browser_known_to_somebody_else_is_unknown(alice: User, bob: User) -> None:
    browser = at(ATTACKER)
    log_in(browser, email="bob@example.org")
    browser.post("/account/logout/")
    statuses(5, at(ATTACKER))

    assert log_in(browser, WRONG).status_code == 429
    assert log_in(browser, WRONG, "nobody@example.com").status_code == 200


def test_a_browser_is_trusted_no_longer_once_the_password_is_another(alice: User) -> None:
    browser = at(ATTACKER)
    log_in(browser)
    browser.post("/account/logout/")
    alice.set_password(NEW_PASSWORD)
    alice.save()

    statuses(5, at(ATTACKER))

    assert log_in(browser, NEW_PASSWORD).status_code == 429


def test_one_address_may_try_few_passwords_over_all_accounts(db: None) -> None:
    attacker = at(ATTACKER)

    answers = [log_in(attacker, WRONG, f"x{number}@example.com").status_code for number in range(11)]

    assert answers == [200] * 10 + [429]


@pytest.mark.no_cover
def test_attempts_from_many_addresses_are_slowed_and_the_owner_gets_in_from_any_other(
    alice: User, clock: list[float]
) -> None:
    fresh = addresses()
    for _address in range(6):
        statuses(5, at(next(fresh)))

    under_attack = next(fresh)
    slowed = statuses(2, at(under_attack))
    wait = log_in(at(under_attack))
    owner = log_in(at("203.0.113.9"))
    clock[0] = 901
    later = log_in(at(under_attack), WRONG).status_code

    assert slowed == [200, 429]
    assert "Try again in 15 minutes." in wait.content.decode()
    assert owner.status_code == 302
    assert later == 200


def test_under_attack_the_networks_of_one_site_count_as_one(alice: User) -> None:
    fresh = addresses()
    for _address in range(6):
        statuses(5, at(next(fresh)))

    answers = [log_in(at(f"2001:db8:1:{network}::1"), WRONG).status_code for network in (1, 2)]
    elsewhere = log_in(at("2001:db8:2:1::1"), WRONG).status_code

    assert (answers, elsewhere) == ([200, 429], 200)


@pytest.mark.no_cover
def test_attempts_of_others_do_not_keep_the_owner_from_reauthenticating(alice: User) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=7200)
    for _address, ip in zip(range(10), addresses(), strict=False):
        statuses(5, at(ip))

    assert browser.post("/account/reauthenticate/", {"password": PASSWORD}).status_code == 302


@pytest.mark.parametrize(
    ("page", "field", "more"),
    [
        ("/account/reauthenticate/", "password", {}),
        ("/account/password/change/", "oldpassword", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}),
    ],
)
def test_attempts_at_the_password_in_a_stolen_session_are_limited(
    alice: User, page: str, field: str, more: dict[str, str]
) -> None:
    thief = logged_in(alice)

    answers = [thief.post(page, more | {field: WRONG}).status_code for _time in range(6)]
    right = thief.post(page, more | {field: PASSWORD})

    assert answers == [200] * 5 + [429]
    assert "Try again in" in right.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_choosing_a_new_password_ends_the_wait(alice: User) -> None:
    browser = at(ATTACKER)
    statuses(5, browser)
    browser.post("/account/password/reset/", {"email": ALICE})
    form = browser.get(link_in(newest()), follow=True).redirect_chain[-1][0]

    browser.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert log_in(browser, NEW_PASSWORD).status_code == 302


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
def test_attempts_of_unknown_browsers_do_not_keep_a_known_one_from_the_second_step(alice: User, secret: str) -> None:
    browser = at("203.0.113.9")
    log_in(browser)
    browser.post(SECOND_STEP, {"code": code_of(secret)})
    browser.post("/account/logout/")
    for _address, ip in zip(range(5), addresses(), strict=False):
        try_codes(at(ip), 5)

    log_in(browser)
    answer = browser.post(SECOND_STEP, {"code": code_of(secret, 1)})

    assert (answer.status_code, is_logged_in(browser)) == (302, True)


@pytest.mark.no_cover
def test_browsers_without_a_code_of_this_app_are_unknown_to_it(alice: User, clock: list[float]) -> None:
    """An attacker who knows the password can collect known browsers, most easily before there is a second step."""
    browsers = [at(ip) for _browser, ip in zip(range(6), addresses(), strict=False)]
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
        answers += try_codes(browser, 5)
        clock[0] += 301

    assert answers == [200] * 20 + [429] * 10
    log_in(known)
    known.post(SECOND_STEP, {"code": code_of(new, 1)})
    assert is_logged_in(known)


def test_browsers_past_the_second_step_share_the_tries_of_a_day(alice: User, secret: str, clock: list[float]) -> None:
    browsers = [at(ip) for _browser, ip in zip(range(3), addresses(), strict=False)]
    for browser in browsers:
        log_in(browser)
        browser.post(SECOND_STEP, {"code": code_of(secret)})
        browser.post("/account/logout/")
        clock[0] += 120

    answers = []
    for browser in browsers * 2:
        answers += try_codes(browser, 5)
        clock[0] += 301

    assert answers == [200] * 20 + [429] * 10
    assert try_codes(at("203.0.113.9"), 1) == [200]


def test_logging_in_repeatedly_gives_a_browser_no_more_attempts(
    alice: User, bob: User, secret: str, clock: list[float]
) -> None:
    browser = at(ATTACKER)
    log_in(browser)
    browser.post(SECOND_STEP, {"code": code_of(secret)})

    answers: dict[str, list[int]] = {"password": [], "code": []}
    for _time in range(6):
        clock[0] += 1
        browser.post("/account/logout/")
        log_in(browser, email="bob@example.org")
        browser.post("/account/logout/")
        answers["password"] += statuses(1, browser)
    cache.clear()
    for _time in range(6):
        clock[0] += 1
        answers["code"] += try_codes(browser, 1)
        browser.post("/account/login/start-again/")
        log_in(browser, email="bob@example.org")
        browser.post("/account/logout/")

    assert answers == {"password": [200] * 5 + [429], "code": [200] * 5 + [429]}


@pytest.mark.no_cover
def test_a_new_password_opens_the_second_step_again_at_once(alice: User, secret: str) -> None:
    for _address, ip in zip(range(5), addresses(), strict=False):
        try_codes(at(ip), 5)
    alice.set_password(NEW_PASSWORD)
    alice.save()
    browser = at("203.0.113.9")

    log_in(browser, NEW_PASSWORD)
    answer = browser.post(SECOND_STEP, {"code": code_of(secret)})

    assert (answer.status_code, is_logged_in(browser)) == (302, True)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (60, "60 seconds"), (61, "2 minutes"), (3600, "60 minutes"), (3601, "2 hours")],
)
def test_waits_are_written_in_words(seconds: int, words: str) -> None:
    assert rate_limits.in_words(seconds) == words


def test_who_came_in_the_same_instant_as_many_others_waits_a_second(db: None) -> None:
    assert rate_limits.seconds_left(RequestFactory().post("/"), "password_attempt", "nobody tried") == 1


def test_a_page_that_is_limited_says_to_wait_a_minute_and_so_do_all_of_its_kind(db: None) -> None:
    answers = [at(ATTACKER).post("/account/signup/", {"email": "x", "password1": "x"}) for _time in range(21)]

    page = answers[-1]
    assert (page.status_code, page["Retry-After"]) == (429, "60")
    assert "Wait a minute, then try again." in page.content.decode()
    of_pages = {rate for rates in RATE_LIMITS.values() for rate in (rates or "").split(",") if "/ip" in rate}
    assert {rate.split("/")[1] for rate in of_pages} == {"m"}


def test_no_limit_outlives_a_cleared_cache(alice: User) -> None:
    statuses(6, at(ATTACKER))

    cache.clear()

    assert log_in(at(ATTACKER)).status_code == 302
