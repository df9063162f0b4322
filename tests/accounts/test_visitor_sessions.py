"""A session lasts for minutes before a log-in, and for 14 days after it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from accounts import sessions
from accounts.models import Session, User
from accounts.sessions import digest
from tests.accounts.mfa.ceremonies import challenge
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.test_password import open_reset
from tests.accounts.views.passkeys import LOG_IN, REAUTHENTICATE, SECOND_STEP, add_passkey, is_logged_in, log_in
from tests.accounts.views.second_step import code_of
from tests.cast import PASSWORD

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("queued_mail")]

MINUTES, TWO_WEEKS = 15 * 60, 14 * 24 * 3600


def lasts(browser: Browser) -> tuple[int, int]:
    """Return for how many seconds the cookie and the row of a session last."""
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME]
    row = Session.objects.get(pk=digest(cookie.value))
    left = row.expire_date - timezone.now()
    # A few seconds have passed.
    return int(cookie["max-age"]), round(left / timedelta(minutes=1)) * 60


def ask_for_a_challenge(browser: Browser) -> Any:
    return challenge(browser)


def give_a_password(browser: Browser) -> None:
    """Return a browser at the second step."""
    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    assert browser.get(SECOND_STEP).status_code == 200


def log_in_by_password() -> Browser:
    browser = Browser()
    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    return browser


def follow_the_link_for_a_new_password(browser: Browser) -> None:
    open_reset(browser)


@pytest.mark.parametrize("visit", [ask_for_a_challenge, give_a_password, follow_the_link_for_a_new_password])
def test_a_session_in_which_nobody_is_logged_in_lasts_for_minutes(
    alice: User, visit: Callable[[Browser], None]
) -> None:
    TOTP.activate(alice, pyotp.random_base32())
    browser = Browser()

    visit(browser)

    assert lasts(browser) == (MINUTES, MINUTES)


def test_after_a_log_in_by_passkey_a_session_lasts_for_two_weeks(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)

    browser = log_in(key)

    assert is_logged_in(browser)
    assert lasts(browser) == (TWO_WEEKS, TWO_WEEKS)


@pytest.mark.no_cover
@pytest.mark.parametrize("has_app", [False, True])
def test_after_a_log_in_by_password_a_session_lasts_for_two_weeks(alice: User, has_app: bool) -> None:
    secret = pyotp.random_base32()
    browser = Browser()
    challenge(browser)
    if has_app:
        TOTP.activate(alice, secret)

    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    if has_app:
        browser.post(SECOND_STEP, {"code": code_of(secret)})

    assert is_logged_in(browser)
    assert lasts(browser) == (TWO_WEEKS, TWO_WEEKS)


def test_a_challenge_does_not_shorten_the_session_of_one_who_is_logged_in(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    browser = log_in(key)

    browser.get(LOG_IN, headers={"Accept": "application/json"})
    browser.get(REAUTHENTICATE)

    assert lasts(browser) == (TWO_WEEKS, TWO_WEEKS)


def test_logging_out_leaves_no_session_of_two_weeks(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    browser = log_in(key)

    browser.post("/account/logout/")

    assert not Session.objects.filter(expire_date__gt=timezone.now() + timedelta(hours=1), user=None).exists()
    assert not is_logged_in(browser)


def test_an_expired_session_of_a_visitor_holds_no_challenge(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    browser = Browser()
    options = challenge(browser)
    Session.objects.update(expire_date=timezone.now())

    browser.post(LOG_IN, {"credential": key.get(options)})

    assert not is_logged_in(browser)


def test_a_challenge_waits_for_the_deletion_of_few_sessions(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        challenge(Browser())
    Session.objects.update(expire_date=timezone.now())
    monkeypatch.setattr(sessions, "BATCH", 2)
    cache.clear()

    challenge(Browser())

    assert Session.objects.count() == 3 - 2 + 1


def test_challenges_make_room_once_a_minute_for_those_that_come_after(alice: User) -> None:
    for _ in range(3):
        challenge(Browser())
    Session.objects.update(expire_date=timezone.now())
    kept = log_in_by_password()

    challenge(Browser())
    within_the_minute = Session.objects.count()
    cache.clear()
    challenge(Browser())

    assert (within_the_minute, Session.objects.count()) == (5, 3)
    assert is_logged_in(kept)
