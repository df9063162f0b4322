"""Steps of people who sign up, in browsers at several addresses."""

from collections.abc import Iterator
from typing import Any

from django.test import Client as Browser
from post_office.models import Email

from tests.accounts.mail.mails import link_in, newest

CAROL = "carol@example.com"
OWN, THIEVES, NEW = "the owner's own passphrase", "the thief's bad passphrase", "a brand new passphrase"
AGAIN, RESET, SIGN_UP = "/account/confirm-email/again/", "/account/password/reset/", "/account/signup/"
DEAD = "This link no longer works"


def at(ip: str = "203.0.113.9") -> Browser:
    return Browser(REMOTE_ADDR=ip)


def sign_up(browser: Browser, password: str = OWN, email: str = CAROL) -> str:
    """Sign up, and return the link in the newest mail."""
    browser.post(SIGN_UP, {"email": email, "password1": password})
    return link_in(newest())


def log_in(password: str, email: str = CAROL, browser: Browser | None = None) -> Any:
    return (browser or at()).post("/account/login/", {"login": email, "password": password})


def can_log_in(password: str, email: str = CAROL) -> bool:
    return bool(log_in(password, email).get("Location") == "/")


def send_again(browser: Browser, email: str = CAROL) -> Any:
    return browser.post(AGAIN, {"email": email})


def mails_to(email: str = CAROL) -> int:
    return Email.objects.filter(to=email).count()


def ips(network: str = "198.51.100.{}") -> Iterator[str]:
    return (network.format(number) for number in range(1, 250))


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())
