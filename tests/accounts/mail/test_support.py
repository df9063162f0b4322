"""Every mail says whom to write to, where the operator has said it."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.email_addresses import shown
from accounts.models import User
from developers import issuance
from tests.accounts.mail.mails import newest
from tests.cast import PASSWORD, PHONE, logged_in

pytestmark = pytest.mark.usefixtures("queued_mail")

NEW_PASSWORD = "another good passphrase"


def change_password(alice: User) -> None:
    passwords = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    logged_in(alice).post("/account/password/change/", passwords)


def revoke(alice: User) -> None:
    logged_in(alice).post("/developers/api-access-token/revoke/", {"generation": 1})


def ask_for_reset(alice: User) -> None:
    Browser().post("/account/password/reset/", {"email": alice.email})


@pytest.mark.parametrize("cause", [change_password, revoke, ask_for_reset])
def test_text_and_html_say_whom_to_write_to(alice: User, settings: Settings, cause: Callable[[User], None]) -> None:
    settings.SUPPORT_EMAIL, settings.SUPPORT_ANSWER_HOURS = "help@example.com", 48

    cause(alice)

    mail = newest()
    assert mail.message.endswith("\nNeed help? Write to help@example.com. We answer within 48 business hours.\n")
    assert (
        '<a href="mailto:help@example.com" dir="ltr">help@example.com</a>. We answer within 48 business'
        in mail.html_message
    )


@pytest.mark.parametrize(
    ("address", "in_html"),
    [
        ("o'neil@example.com", "o&#x27;neil@example.com"),
        ("a&b@example.com", "a&amp;b@example.com"),
        ("help@xn--4ca.example", "help@ä.example"),
    ],
)
def test_the_text_shows_the_address_as_it_is(alice: User, settings: Settings, address: str, in_html: str) -> None:
    settings.SUPPORT_EMAIL, settings.SUPPORT_ANSWER_HOURS = address, 0

    revoke(alice)

    mail = newest()
    assert mail.message.endswith(f"\nNeed help? Write to {shown(address)}.\n")
    assert f">{in_html}</a>." in mail.html_message


def test_a_mail_without_its_details_says_whom_to_write_to_too(alice: User, settings: Settings) -> None:
    settings.SUPPORT_EMAIL, settings.SUPPORT_ANSWER_HOURS = "help@example.com", 48
    alice.time_zone = "Nowhere/Land"

    issuance.revoke(alice, 1, PHONE, even_if_used=False)

    assert newest().message.endswith("/account/security/log/\n\nNeed help? Write to help@example.com.\n")
    assert newest().html_message == ""


@pytest.mark.parametrize("cause", [change_password, revoke, ask_for_reset])
def test_a_mail_offers_no_help_where_no_address_is_set(
    alice: User, settings: Settings, cause: Callable[[User], None]
) -> None:
    settings.SUPPORT_EMAIL, settings.SUPPORT_ANSWER_HOURS = "", 48

    cause(alice)

    mail = newest()
    assert "Need help?" not in mail.message + mail.html_message
