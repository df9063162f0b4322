"""Steps that the security log records."""

from django.test import Client as Browser

from accounts.events import SecurityEvent
from accounts.models import User
from tests.cast import PASSWORD, account_events, reauthenticate

LOG = "/account/security/log/"
FILE = "/account/security/log/download/"
AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7; rv:133.0) Gecko/20100101 Firefox/133.0"
ADDRESS = "203.0.113.9"
Detail, Kind = SecurityEvent.Detail, SecurityEvent.Kind
HEAD = ["When", "What", "Detail", "Token", "From", "Client"]


def visitor() -> Browser:
    return Browser(headers={"User-Agent": AGENT}, REMOTE_ADDR=ADDRESS)


def log_in(password: str = PASSWORD, email: str = "alice@example.com") -> Browser:
    browser = visitor()
    browser.post("/account/login/", {"login": email, "password": password})
    return browser


def logged_in_with_empty_log(user: User) -> Browser:
    """Return a browser in which a person is logged in, and empty the log."""
    browser = visitor()
    browser.force_login(user)
    reauthenticate(browser, user)
    account_events().delete()
    return browser


def events(user: User) -> list[tuple[str, str]]:
    """Return what the log holds of a person; all of it from the one client of these tests."""
    rows = account_events().filter(user=user).order_by("pk")
    assert {(row.ip, row.client) for row in rows} <= {(ADDRESS, AGENT)}
    return [(row.kind, row.detail) for row in rows]
