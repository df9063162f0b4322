"""Links, sessions and log-ins from before a restore no longer work."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.db import connection
from django.test import Client as Browser
from post_office.models import Email

from accounts import sign_ups
from accounts.models import User
from botpenguin.operations import schemas
from tests.operations.databases import ask, changing, manage

# In one process, since each process needs seconds for the schema of this version.
pytestmark = [pytest.mark.resilience, pytest.mark.xdist_group("restoring")]
NEW_PASSWORD = "another good passphrase"


def link_for_a_new_password() -> str:
    """Request a mail and return the path of the link in it."""
    Browser().post("/account/password/reset/", {"email": "bob@example.com"})
    found = re.search(r"https://app\.example\.com(/account/password/reset/key/\S+)", Email.objects.latest("pk").message)
    assert found
    return found[1]


def is_good(link: str) -> bool:
    """Follow a link: a valid one redirects to the form."""
    return Browser().get(link).status_code == 302


def use(link: str) -> None:
    browser = Browser()
    form = browser.get(link)["Location"]
    browser.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert User.objects.get(email="bob@example.com").check_password(NEW_PASSWORD)


def leave(link: str) -> None:
    """Do nothing with it."""


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("do", "tokens"),
    [
        (use, []),
        (leave, ["--keep-tokens"]),
        pytest.param(leave, [], marks=pytest.mark.release),
        pytest.param(use, ["--keep-tokens"], marks=pytest.mark.release),
    ],
)
def test_a_link_for_a_new_password_that_was_mailed_before_is_dead(
    live: Path, backup: Path, do: Callable[[str], None], tokens: list[str]
) -> None:
    link = link_for_a_new_password()
    was_good = is_good(link)
    do(link)
    connection.close()

    manage("restore", str(backup), "--noinput", *tokens)

    assert (was_good, is_good(link)) == (True, False)
    assert is_good(link_for_a_new_password())


@pytest.mark.no_cover
def test_a_link_that_confirms_the_address_of_an_account_is_dead(live: Path, backup: Path) -> None:
    """Version 0.1.0 made accounts before their address was confirmed."""
    with changing(backup) as database:
        database.execute("UPDATE account_emailaddress SET verified = 0 WHERE email = 'alice@example.com'")
    with schemas.connected_to(backup):
        key = EmailConfirmationHMAC(EmailAddress.objects.get(email="alice@example.com")).key
        was_good = EmailConfirmationHMAC.from_key(key) is not None

    manage("restore", str(backup), "--noinput")

    assert (was_good, EmailConfirmationHMAC.from_key(key)) == (True, None)
    waiting = EmailAddress.objects.get(email="alice@example.com")
    assert EmailConfirmationHMAC.from_key(EmailConfirmationHMAC(waiting).key) is not None


def test_a_link_that_confirms_a_sign_up_is_dead(live: Path, backup: Path) -> None:
    with schemas.connected_to(backup):
        Browser().post("/account/signup/", {"email": "carol@example.com", "password1": NEW_PASSWORD})
        found = re.search(r"/account/confirm-email/(\S+?)/", Email.objects.latest("pk").message)
        assert found
        was_good = sign_ups.from_key(found[1]) is not None

    manage("restore", str(backup), "--noinput")

    assert (was_good, sign_ups.from_key(found[1])) == (True, None)


@pytest.mark.release
def test_log_ins_under_way_end(live: Path, backup: Path) -> None:
    epochs = "SELECT email, session_epoch FROM accounts_user"
    before = dict(ask(backup, epochs))

    manage("restore", str(backup), "--noinput")

    assert [email for email, epoch in ask(live, epochs) if not epoch or epoch == before[email]] == []
