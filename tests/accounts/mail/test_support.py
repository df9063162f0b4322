"""Every mail says whom to write to, where the operator has said it."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.accounts.mail.mails import newest
from tests.cast import PASSWORD, logged_in

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
    assert '<a href="mailto:help@example.com">help@example.com</a>. We answer within 48 business' in mail.html_message


@pytest.mark.parametrize("cause", [change_password, revoke, ask_for_reset])
def test_a_mail_offers_no_help_where_no_address_is_set(
    alice: User, settings: Settings, cause: Callable[[User], None]
) -> None:
    settings.SUPPORT_EMAIL, settings.SUPPORT_ANSWER_HOURS = "", 48

    cause(alice)

    mail = newest()
    assert "Need help?" not in mail.message + mail.html_message
