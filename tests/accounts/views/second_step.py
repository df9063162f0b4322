"""Pages of the second step, and steps of somebody who uses it."""

import re
import secrets
import time
from typing import Any

import pyotp
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client as Browser

from accounts.models import User
from tests.cast import PASSWORD

SHOW = "/account/security/recovery-codes/show/"
NEW = "/account/security/recovery-codes/new/"
SET_UP = "/account/security/authenticator/"
SECURITY = "/account/security/"
REMOVE = "/account/security/authenticator/remove/"
CODES = "/account/security/recovery-codes/"
SECOND_STEP = "/account/login/second-step/"
TWO_HOURS = 7200
OTHER_KEY = secrets.token_urlsafe(32)


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


def reauthentication_url(back: str) -> str:
    quoted = back.replace("/", "%2F").replace("?", "%3F").replace("=", "%3D")
    return f"/account/reauthenticate/?next={quoted}"
