"""The fixed cast of the tests, and browsers in which they are logged in."""

import time

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY as RECORDS_USER_KEY,
)
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY as RECORDS_KEY
from django.db.models import QuerySet
from django.test import Client as Browser

from accounts.events import SecurityEvent
from accounts.models import User
from accounts.web.clients import Client
from developers import vault
from developers.models import ApiToken

PASSWORD = "correct horse battery staple"
LAPTOP = Client("203.0.113.9", "python-requests/2.32.3")
PHONE = Client("2001:db8::7", "curl/8.5.0")


def logged_in(user: User) -> Browser:
    """Return a browser in which a person has just logged in."""
    browser = Browser()
    browser.force_login(user)
    reauthenticate(browser, user)
    return browser


def reauthenticate(browser: Browser, user: User, *, seconds_ago: float = 0) -> None:
    """Add to a session the record that allauth adds when a person gives their password."""
    session = browser.session
    session[RECORDS_KEY] = [{"method": "password", "at": time.time() - seconds_ago, "email": user.email}]
    session[RECORDS_USER_KEY] = str(user.pk)
    session.save()


def token_text(user: User) -> str:
    """Return the plain text of a person's current token."""
    token = ApiToken.objects.get(user=user)
    return vault.unseal(user.pk, token.generation, token.sealed).open()


def account_events() -> QuerySet[SecurityEvent]:
    """Return what happened to accounts, newest first."""
    return SecurityEvent.objects.exclude(kind__startswith="token-").order_by("-at", "-pk")


def token_events() -> QuerySet[SecurityEvent]:
    """Return what happened to tokens, newest first."""
    return SecurityEvent.objects.filter(kind__startswith="token-").order_by("-at", "-pk")
