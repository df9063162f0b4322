"""A log-in at the second step ends when its password, factor or account changes."""

import time
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client as Browser

from accounts.events import SecurityEvent
from accounts.models import User
from tests.accounts.mail.mails import link_in, newest
from tests.accounts.views.second_step import SECOND_STEP, code_of, give_code, give_password, is_logged_in
from tests.cast import PASSWORD, logged_in

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("queued_mail")]

NEW_PASSWORD = "another good passphrase"
NEW = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}


@pytest.fixture
def secret(alice: User) -> str:
    """The secret of Alice's app."""
    secret = pyotp.random_base32()
    TOTP.activate(alice, secret)
    return secret


def change(alice: User) -> None:
    logged_in(alice).post("/account/password/change/", {"oldpassword": PASSWORD} | NEW)


def reset(alice: User) -> None:
    browser = Browser()
    browser.post("/account/password/reset/", {"email": alice.email})
    browser.post(browser.get(link_in(newest()), follow=True).redirect_chain[-1][0], NEW)


def remove_factors(alice: User) -> None:
    Authenticator.objects.filter(user=alice).delete()


def delete(alice: User) -> None:
    alice.delete()


@pytest.mark.parametrize("end", [change, reset, remove_factors, delete])
def test_it_ends_and_the_log_in_page_is_there_again(alice: User, secret: str, end: Callable[[User], Any]) -> None:
    waiting = give_password()

    end(alice)
    response = give_code(waiting, code_of(secret))

    assert (response.status_code, response["Location"]) == (302, "/account/login/")
    assert waiting.get("/account/login/").status_code == 200
    assert not is_logged_in(waiting)


@pytest.mark.no_cover
def test_codes_that_are_tried_with_an_old_password_are_not_counted_against_its_owner(alice: User, secret: str) -> None:
    """A thief who knew the old password has left log-ins waiting; the owner has chosen a new one."""
    waiting = [Browser(REMOTE_ADDR=f"198.51.100.{number}") for number in range(1, 6)]
    for browser in waiting:
        browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    change(alice)
    SecurityEvent.objects.all().delete()

    for browser in waiting:
        for _time in range(5):
            give_code(browser, "000000")

    owner = Browser(REMOTE_ADDR="203.0.113.9")
    owner.post("/account/login/", {"login": alice.email, "password": NEW_PASSWORD})
    response = owner.post(SECOND_STEP, {"code": code_of(secret)})
    assert (response.status_code, is_logged_in(owner)) == (302, True)
    assert not SecurityEvent.objects.filter(kind=SecurityEvent.Kind.LOG_IN_FAILED).exists()


@pytest.mark.parametrize(("seconds_ahead", "is_good"), [(-60, True), (2, True), (60, False), (10**9, False)])
def test_a_waiting_log_in_dated_in_the_future_ends(alice: User, secret: str, seconds_ahead: int, is_good: bool) -> None:
    waiting = give_password()
    session = waiting.session
    session["account_login"] |= {"initiated_at": time.time() + seconds_ahead}
    session.save()

    response = give_code(waiting, code_of(secret))

    assert response.status_code == 302
    assert is_logged_in(waiting) == is_good
