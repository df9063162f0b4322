"""The people of 0.1.0, in the browsers that they used then and in new ones."""

import re
from typing import Any

from django.test import Client as Browser

from tests.upgrades.databases import KEPT

ALICE, BOB, DAVE, FRIEDA = "alice@example.net", "bob@example.org", "dave@bücher.example", "frieda@example.com"
PASSWORD = KEPT["password"]


OWNER = "owner@example.com"


def visiting(email: str) -> Browser:
    """Return a browser with the cookies that it has from 0.1.0."""
    browser = Browser()
    browser.cookies.load(KEPT["cookies"][email])
    return browser


def log_in(email: str, password: str = PASSWORD, *, known: bool = False) -> Browser:
    browser = Browser()
    if known:
        browser.cookies["known"] = KEPT["cookies"][email]["known"]
    browser.post("/account/login/", {"login": email, "password": password})
    return browser


def is_logged_in(browser: Browser) -> bool:
    return browser.get("/account/").status_code == 200


def words_on(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())
