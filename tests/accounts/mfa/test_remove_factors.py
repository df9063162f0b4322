"""An operator removes the factors of a person who has lost theirs, or those that a thief has added."""

from io import StringIO

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from accounts.events import SecurityEvent
from accounts.models import User
from tests.accounts.mail.mails import newest
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import add_passkey, log_in
from tests.cast import PASSWORD, logged_in

pytestmark = pytest.mark.usefixtures("queued_mail")


def remove_factors(*arguments: str) -> str:
    output = StringIO()
    call_command("remove_factors", "--user", *arguments, stdout=output)
    return output.getvalue()


def is_logged_in(browser: Browser) -> bool:
    return browser.get("/account/").status_code == 200


def test_the_password_opens_the_account_alone_again_and_a_thief_is_out(alice: User, bob: User) -> None:
    TOTP.activate(bob, pyotp.random_base32())
    TOTP.activate(alice, pyotp.random_base32())
    RecoveryCodes.activate(alice)
    key = SecurityKey()
    add_passkey(alice, key)
    thief = log_in(key)
    before = is_logged_in(thief)

    output = remove_factors("Alice@Example.com")

    owner = Browser()
    response = owner.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    assert output == (
        "Removed: Authenticator app, Recovery codes, Passkey. "
        "alice@example.com is logged out everywhere, and notified by mail.\n"
    )
    assert (response["Location"], is_logged_in(owner)) == ("/", True)
    assert (before, is_logged_in(thief), is_logged_in(log_in(key))) == (True, False, False)
    assert [factor.user for factor in Authenticator.objects.all()] == [bob]


def test_the_owner_gets_one_mail_and_finds_it_in_the_security_log(alice: User) -> None:
    TOTP.activate(alice, pyotp.random_base32())
    RecoveryCodes.activate(alice)

    remove_factors("alice@example.com")

    event = SecurityEvent.objects.get(kind="factors-removed")
    mail = newest()
    assert (event.user, event.client, mail.message_id) == (
        alice,
        "manage.py",
        f"<security-event.{event.pk}@app.example.com>",
    )
    assert (mail.to, mail.subject) == (["alice@example.com"], "Your ways to log in were removed")
    assert "You log in with your password alone now." in mail.message
    alice.refresh_from_db()
    log = logged_in(alice).get("/account/security/log/?kind=ways-to-log-in").content.decode()
    assert "Ways to log in removed by the operator" in log


def test_a_dry_run_only_says_what_there_is(alice: User) -> None:
    TOTP.activate(alice, pyotp.random_base32())
    browser = logged_in(alice)

    output = remove_factors("alice@example.com", "--dry-run")

    assert output == "Would be removed: Authenticator app.\n"
    assert (Authenticator.objects.count(), is_logged_in(browser)) == (1, True)


def test_a_person_without_factors_stays_logged_in(alice: User) -> None:
    browser = logged_in(alice)

    output = remove_factors("alice@example.com")

    assert output == "alice@example.com has none. Nothing was changed.\n"
    assert is_logged_in(browser)


def test_an_address_without_an_account_is_refused(alice: User) -> None:
    with pytest.raises(CommandError, match=r"^There is no account with the email nobody@example\.com\.$"):
        remove_factors("nobody@example.com")
