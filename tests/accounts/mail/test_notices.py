"""Mails about events of an account: when, from where, and what to do if it was somebody else."""

import re
from collections.abc import Callable
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client as Browser
from post_office.models import Email

from accounts.models import User
from tests.accounts.mail.mails import link_in, newest
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.samples import sample
from tests.accounts.views import passkeys
from tests.accounts.views.passkeys import add_passkey
from tests.accounts.views.second_step import SET_UP, code_of, key_on
from tests.cast import PASSWORD, logged_in, token_text

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("queued_mail")]

FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7; rv:133.0) Gecko/20100101 Firefox/133.0"
NEW_PASSWORD = "another good passphrase"
NEW = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
RESET = "https://app.example.com/account/password/reset/"


def from_firefox(browser: Browser) -> Browser:
    browser.defaults |= {"HTTP_USER_AGENT": FIREFOX, "REMOTE_ADDR": "203.0.113.9"}
    return browser


def log_in(browser: Browser, email: str = "alice@example.com") -> Browser:
    browser.post("/account/login/", {"login": email, "password": PASSWORD})
    return browser


def subjects() -> list[str]:
    return list(Email.objects.order_by("pk").values_list("subject", flat=True))


def assert_notice(mail: Email, address: str, subject: str, text: str) -> None:
    """Check that text and HTML of a notice say what happened, when, and from which client, and hold no secret."""
    assert (mail.to, mail.subject) == ([address], subject)
    for body in (mail.message, unescape(" ".join(re.sub(r"<[^>]+>", " ", mail.html_message).split()))):
        assert text in body
        assert "203.0.113.9" in body
        assert "Firefox, macOS" in body
        assert f"{datetime.now().astimezone():%Y}, " in body
        assert "If this wasn't you, " in body
        assert not re.search(f"bpat_[0-9A-Za-z]|{NEW_PASSWORD}|{PASSWORD}", body)


def test_a_changed_password_is_mailed(alice: User) -> None:
    from_firefox(logged_in(alice)).post("/account/password/change/", {"oldpassword": PASSWORD} | NEW)

    assert_notice(
        newest(),
        "alice@example.com",
        "Your password was changed",
        "The password of your BotPenguin account was changed, and every other browser was logged out.",
    )
    assert f"Choose a new password:\n{RESET}" in newest().message


def test_a_reset_password_is_mailed(alice: User) -> None:
    browser = from_firefox(Browser())
    browser.post("/account/password/reset/", {"email": "alice@example.com"})
    form = browser.get(link_in(newest()), follow=True).redirect_chain[-1][0]

    browser.post(form, NEW)

    assert_notice(
        newest(),
        "alice@example.com",
        "Your password was reset",
        "A new password was chosen for your BotPenguin account, and every browser was logged out.",
    )


def test_a_change_of_email_is_mailed_to_the_old_address_before_it_counts(alice: User) -> None:
    from_firefox(logged_in(alice)).post("/account/email/", {"email": "alice@wonderland.example", "action_add": ""})

    notice, link = Email.objects.order_by("pk")
    assert (link.to, link.subject) == (["alice@wonderland.example"], "Confirm your email for BotPenguin")
    assert_notice(
        notice,
        "alice@example.com",
        "A change of your email was requested",
        "Somebody, hopefully you, wants to log in to BotPenguin as alice@wonderland.example. "
        "It replaces alice@example.com once the link that we sent to the new address is opened.",
    )
    assert f"Choose a new password:\n{RESET}" in notice.message


def test_a_changed_email_is_mailed_to_the_old_address(alice: User) -> None:
    browser = from_firefox(logged_in(alice))
    browser.post("/account/email/", {"email": "alice@wonderland.example", "action_add": ""})

    browser.post(link_in(newest()))

    assert_notice(
        newest(),
        "alice@example.com",
        "Your email was changed",
        "You log in to BotPenguin as alice@wonderland.example now, and no longer as alice@example.com.",
    )
    assert RESET not in newest().message


def add_app(alice: User) -> None:
    browser = logged_in(alice)
    browser.post(SET_UP, {"code": code_of(key_on(browser.get(SET_UP)))})


def log_in_by_passkey(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    passkeys.log_in(key)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("action", "subject"),
    [
        (lambda alice: add_passkey(alice, SecurityKey()), "A passkey was added"),
        (add_app, "An authenticator app was added"),
        (log_in_by_passkey, "New log-in to your account"),
    ],
)
def test_a_way_in_that_may_be_a_thief_s_is_to_be_removed_before_a_password_is_chosen(
    alice: User, action: Callable[[User], Any], subject: str
) -> None:
    """A new password alone would lock out its owner, and not the thief."""
    action(alice)

    mail = newest()
    remove, choose = mail.message.index("First remove every passkey"), mail.message.index("Then choose a new password")
    assert (mail.subject, remove < choose) == (subject, True)
    assert "If you can no longer log in, write to the operator of this server at once." in mail.message
    assert mail.message.rstrip().endswith("Check your ways to log in:\nhttps://app.example.com/account/security/")
    assert 'href="https://app.example.com/account/security/"' in mail.html_message
    assert RESET not in mail.message + mail.html_message


def test_new_recovery_codes_are_mailed_with_what_to_do_first(alice: User) -> None:
    add_app(alice)
    logged_in(alice).post("/account/security/recovery-codes/new/")

    text = newest().message
    assert newest().subject == "New recovery codes were made"
    assert text.index("Choose a new password at once") < text.index("Then make new codes")
    assert f"Choose a new password:\n{RESET}" in text


def test_a_deleted_account_is_mailed(alice: User) -> None:
    from_firefox(logged_in(alice)).post("/account/delete/", {"email": "alice@example.com"})

    assert_notice(
        newest(),
        "alice@example.com",
        "Your account was deleted",
        "Your BotPenguin account was deleted, with its API token, bots, contacts and activity.",
    )


def test_cancelling_a_change_of_email_sends_no_mail(alice: User) -> None:
    browser = logged_in(alice)
    browser.post("/account/email/", {"email": "alice@wonderland.example", "action_add": ""})
    before = subjects()

    browser.post("/account/email/", {"email": "alice@wonderland.example", "action_remove": ""})

    assert subjects() == before


def test_a_log_in_from_a_new_browser_is_mailed_and_from_a_known_one_is_not(alice: User) -> None:
    known = log_in(Browser())
    known.post("/account/logout/")

    log_in(known)
    before = subjects()
    log_in(from_firefox(Browser()))

    assert before == []
    assert_notice(
        newest(),
        "alice@example.com",
        "New log-in to your account",
        "Somebody, hopefully you, logged in to BotPenguin from a browser that you had not used before.",
    )


def test_a_browser_may_be_known_to_several_people(alice: User, bob: User) -> None:
    browser, elsewhere = Browser(), Browser()
    log_in(elsewhere, "bob@example.org")
    log_in(browser).post("/account/logout/")

    log_in(browser, "bob@example.org").post("/account/logout/")
    log_in(browser).post("/account/logout/")
    log_in(browser, "bob@example.org")

    assert [mail.to for mail in Email.objects.all()] == [["bob@example.org"]]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "forged",
    sample([b"1", b"1:forged", b"\x00", rb'"\000\012"', b"\xff", b"=;known"], {b"1:forged", b"\xff"}),
)
def test_a_forged_cookie_of_a_known_browser_is_ignored(alice: User, forged: bytes) -> None:
    log_in(Browser())

    # Written as it is sent: later versions of Python make no cookie that holds control characters.
    log_in(Browser(headers={"Cookie": f"known={forged.decode('latin-1')}"}))

    assert subjects() == ["New log-in to your account"]


def test_a_wrong_password_is_no_log_in(alice: User) -> None:
    log_in(Browser())

    Browser().post("/account/login/", {"login": "alice@example.com", "password": "guessed wrong"})

    assert subjects() == []


def test_mails_show_times_in_the_zone_of_the_owner(alice: User) -> None:
    log_in(Browser())
    User.objects.update(time_zone="Asia/Kolkata")

    log_in(Browser())

    assert re.search(r"When: .* IST\n", newest().message)


def test_the_user_agent_in_a_mail_is_only_text(alice: User) -> None:
    log_in(Browser())

    Browser(headers={"User-Agent": "<img/src=x>"}).post(
        "/account/login/", {"login": "alice@example.com", "password": PASSWORD}
    )

    assert "<img" not in newest().html_message


def test_a_token_is_in_no_notice(alice: User) -> None:
    token = token_text(alice)

    logged_in(alice).post("/account/password/change/", {"oldpassword": PASSWORD, "revoke_token": "on"} | NEW)

    assert subjects() == ["Your API access token was revoked", "Your password was changed"]
    assert all(token not in mail.message + mail.html_message for mail in Email.objects.all())
