"""Attackers and owners at several addresses."""

import time
from collections.abc import Iterator
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client as Browser

from tests.cast import PASSWORD

ALICE, ATTACKER = "alice@example.com", "198.51.100.7"
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


def code_of(secret: str, periods: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + periods))
