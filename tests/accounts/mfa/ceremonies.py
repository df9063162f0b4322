"""The ceremonies of passkeys, on the pages and in process."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.test import Client as Browser
from django.test import RequestFactory

from accounts.mfa import webauthn
from accounts.models import PasskeyCredential, User
from accounts.security_log import Kind
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import (
    ADD,
    LOG_IN,
    REAUTHENTICATE,
    SECOND_STEP,
    add_passkey,
    is_logged_in,
    log_in,
    options_on,
)
from tests.accounts.views.second_step import TWO_HOURS
from tests.cast import PASSWORD, logged_in, reauthenticate

JSON = {"Accept": "application/json"}


def challenge(browser: Browser) -> Any:
    return browser.get(LOG_IN, headers=JSON).json()["request_options"]["publicKey"]


def logs_in(alice: User, key: SecurityKey) -> bool:
    return is_logged_in(log_in(key))


def passes_the_second_step(alice: User, key: SecurityKey) -> bool:
    browser = Browser()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    browser.post(SECOND_STEP, {"credential": key.get(options_on(browser.get(SECOND_STEP)))})
    return is_logged_in(browser)


def confirms(alice: User, key: SecurityKey) -> bool:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=TWO_HOURS)
    options = options_on(browser.get(f"{REAUTHENTICATE}?next={ADD}"))
    browser.post(REAUTHENTICATE, {"credential": key.get(options), "next": ADD})
    return bool(browser.get(ADD).status_code == 200)


def adds_another(alice: User, key: SecurityKey) -> bool:
    another = replace(key, id=secrets.token_bytes(16))
    add_passkey(alice, another)
    return PasskeyCredential.objects.filter(credential_id=another.id).exists()


Way = Callable[[User, SecurityKey], bool]
ANSWERS: list[Way] = [logs_in, passes_the_second_step, confirms]
WAYS: list[Way] = [*ANSWERS, adds_another]


def events(user: User) -> list[tuple[str, str]]:
    return list(user.security_events.filter(kind=Kind.PASSKEY_COPIED).values_list("kind", "detail"))


class Ceremony:
    """A challenge that is answered repeatedly, as by an attacker who has copied the session."""

    def __init__(self, browser: Browser, check: Callable[[HttpRequest, str], object]) -> None:
        self.state = browser.session[webauthn.CHALLENGE]
        self.check = check

    def accepts(self, answer: str) -> bool:
        request: Any = RequestFactory().post("/")
        request.session = {webauthn.CHALLENGE: self.state}
        try:
            self.check(request, answer)
        except webauthn.PasskeyRefused:
            return False
        return True
