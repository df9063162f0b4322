"""Requests that may fail: each function prepares one and returns a function that sends it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.test import Client as Browser

from accounts.models import User
from developers.models import ApiToken
from tests.cast import PASSWORD, logged_in, reauthenticate, token_text

PAGE = "/developers/api-access-token/"
NEW_PASSWORD = "another good passphrase"
NEW = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "revoke_token": "on"}
APP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
Action = Callable[[], Any]


def as_alice(alice: User) -> Browser:
    # A request that failed late may have changed her password and ended her sessions.
    alice.refresh_from_db()
    browser = logged_in(alice)
    browser.raise_request_exception = False
    return browser


def anonymous() -> Browser:
    return Browser(raise_request_exception=False)


def first_token(alice: User) -> Action:
    ApiToken.objects.all().delete()
    return partial(as_alice(alice).get, PAGE)


def show(alice: User) -> Action:
    return partial(as_alice(alice).post, f"{PAGE}show/", headers={"HX-Request": "true"})


def copy(alice: User) -> Action:
    return partial(as_alice(alice).post, f"{PAGE}copy/", headers={"Accept": "application/json"})


def revoke(alice: User) -> Action:
    return partial(as_alice(alice).post, f"{PAGE}revoke/", {"generation": 1})


def bearer_check(alice: User) -> Action:
    return partial(anonymous().get, "/api/v7/token", headers={"Authorization": f"Bearer {token_text(alice)}"})


def report_exposed(alice: User) -> Action:
    body = {"tokens": [token_text(alice)]}
    return partial(anonymous().post, "/api/v7/token/report-exposed", body, content_type="application/json")


def log_in(alice: User) -> Action:
    return partial(anonymous().post, "/account/login/", {"login": alice.email, "password": PASSWORD})


def sign_up(alice: User) -> Action:
    User.objects.exclude(pk=alice.pk).delete()
    return partial(anonymous().post, "/account/signup/", {"email": "carol@example.com", "password1": NEW_PASSWORD})


def give_password_again(alice: User) -> Action:
    browser = as_alice(alice)
    reauthenticate(browser, alice, seconds_ago=7200)
    return partial(browser.post, "/account/reauthenticate/", {"password": PASSWORD})


def change_password(alice: User) -> Action:
    return partial(as_alice(alice).post, "/account/password/change/", {"oldpassword": PASSWORD} | NEW)
