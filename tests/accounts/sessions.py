"""Browsers that are logged in, and the rows of their sessions."""

from typing import Any

from django.conf import settings
from django.test import Client as Browser

from accounts.models import Session
from accounts.sessions import digest
from tests.cast import PASSWORD

FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7; rv:133.0) Gecko/20100101 Firefox/133.0"


def log_in(user_agent: str = FIREFOX, ip: str = "203.0.113.9") -> Browser:
    browser = Browser(headers={"User-Agent": user_agent}, REMOTE_ADDR=ip)
    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    return browser


def key_of(browser: Browser) -> str:
    return str(browser.cookies[settings.SESSION_COOKIE_NAME].value)


def row_of(browser: Browser) -> Session:
    return Session.objects.get(pk=digest(key_of(browser)))


def is_logged_in(browser: Browser) -> bool:
    return browser.get("/account/").status_code == 200


def end(browser: Browser, ended: Session) -> Any:
    return browser.post("/account/sessions/end/", {"session": ended.pk}, follow=True)
