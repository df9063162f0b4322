"""Attempts at passwords and codes are limited for attackers, and never for the owner elsewhere."""

import pytest
from django.core.cache import cache
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.throttling import rate_limits
from accounts.throttling.defaults import RATE_LIMITS
from accounts.web import formats
from tests.accounts.mail.mails import link_in, newest
from tests.accounts.throttling.visitors import (
    ALICE,
    ATTACKER,
    NEW_PASSWORD,
    WRONG,
    addresses,
    at,
    is_logged_in,
    log_in,
    statuses,
)
from tests.cast import PASSWORD, logged_in, reauthenticate

pytestmark = [pytest.mark.matrix, pytest.mark.django_db]


@pytest.mark.no_cover
def test_ten_wrong_passwords_are_refused_for_that_client_and_the_owner_gets_in_elsewhere(alice: User) -> None:
    attacker, owner = at(ATTACKER), at("203.0.113.9")

    attempts = statuses(10, attacker)
    right_but_late = log_in(attacker)
    entered = log_in(owner)

    assert attempts == [200] * 5 + [429] * 5
    assert (right_but_late.status_code, int(right_but_late["Retry-After"]) > 290) == (429, True)
    assert "Too many attempts. Try again in 5 minutes." in right_but_late.content.decode()
    assert (entered.status_code, is_logged_in(owner)) == (302, True)


@pytest.mark.no_cover
def test_once_the_wait_is_over_one_gets_in(alice: User, clock: list[float]) -> None:
    attacker = at(ATTACKER)
    statuses(5, attacker)
    wait = int(log_in(attacker)["Retry-After"])

    clock[0] = wait + 1

    assert log_in(attacker).status_code == 302


def test_a_right_password_counts_as_no_attempt(alice: User, settings: Settings) -> None:
    low = {"password_attempt": "2/5m/key", "password_attempts_by_address": "2/m/ip"}
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | low

    answers = [log_in(at(ATTACKER)).status_code for _time in range(4)]

    assert answers == [302] * 4


@pytest.mark.no_cover
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


@pytest.mark.no_cover
def test_a_browser_known_to_somebody_else_is_unknown(alice: User, bob: User) -> None:
    browser = at(ATTACKER)
    log_in(browser, email="bob@example.org")
    browser.post("/account/logout/")
    statuses(5, at(ATTACKER))

    assert log_in(browser, WRONG).status_code == 429
    assert log_in(browser, WRONG, "nobody@example.com").status_code == 200


@pytest.mark.no_cover
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


@pytest.mark.usefixtures("low_limits")
def test_under_attack_the_networks_of_one_site_count_as_one(alice: User) -> None:
    fresh = addresses()
    for _address in range(2):
        statuses(2, at(next(fresh)))

    answers = [log_in(at(f"2001:db8:1:{network}::1"), WRONG).status_code for network in (1, 2)]
    elsewhere = log_in(at("2001:db8:2:1::1"), WRONG).status_code

    assert (answers, elsewhere) == ([200, 429], 200)


@pytest.mark.no_cover
@pytest.mark.usefixtures("low_limits")
def test_attempts_of_others_do_not_keep_the_owner_from_reauthenticating(alice: User) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=7200)
    for _address, ip in zip(range(4), addresses(), strict=False):
        statuses(2, at(ip))

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


@pytest.mark.no_cover
def test_choosing_a_new_password_ends_the_wait(alice: User) -> None:
    browser = at(ATTACKER)
    statuses(5, browser)
    browser.post("/account/password/reset/", {"email": ALICE})
    form = browser.get(link_in(newest()), follow=True).redirect_chain[-1][0]

    browser.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert log_in(browser, NEW_PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (60, "60 seconds"), (61, "2 minutes"), (3600, "60 minutes"), (3601, "2 hours")],
)
def test_waits_are_written_in_words(seconds: int, words: str) -> None:
    assert formats.duration(rate_limits.rounded_up(seconds)) == words


def test_an_attempt_at_a_limit_without_a_count_waits_a_second(db: None) -> None:
    assert rate_limits.seconds_left(RequestFactory().post("/"), "password_attempt", "nobody tried") == 1


@pytest.mark.no_cover
def test_a_page_that_is_limited_says_to_wait_a_minute_and_so_do_all_of_its_kind(db: None) -> None:
    answers = [at(ATTACKER).post("/account/signup/", {"email": "x", "password1": "x"}) for _time in range(21)]

    page = answers[-1]
    assert (page.status_code, page["Retry-After"]) == (429, "60")
    assert "Wait a minute, then try again." in page.content.decode()
    of_pages = {rate for rates in RATE_LIMITS.values() for rate in (rates or "").split(",") if "/ip" in rate}
    assert {rate.split("/")[1] for rate in of_pages} == {"m"}


@pytest.mark.no_cover
def test_no_limit_outlives_a_cleared_cache(alice: User) -> None:
    statuses(6, at(ATTACKER))

    cache.clear()

    assert log_in(at(ATTACKER)).status_code == 302
