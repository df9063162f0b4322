"""Earlier links and sessions of a deactivated account stay invalid, even after it is reactivated."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client as Browser
from post_office.models import Email

from accounts import email_changes
from accounts.models import User
from accounts.orm.changes import Gone
from tests.accounts.mail.mails import link_in, newest
from tests.cast import PASSWORD, logged_in, reauthenticate

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("queued_mail")]

NEW, NEW_PASSWORD = "alice@wonderland.example", "another good passphrase"


def set_active(user: User, is_active: bool, **options: Any) -> None:
    user = User.objects.get(pk=user.pk)
    user.is_active = is_active
    user.save(**options)


def link_to_new_address(alice: User) -> str:
    browser = logged_in(alice)
    reauthenticate(browser, alice)
    browser.post("/account/email/", {"email": NEW, "action_add": ""})
    return link_in(newest())


def link_to_new_password(alice: User) -> str:
    Browser().post("/account/password/reset/", {"email": alice.email})
    return link_in(newest())


def follow(link: str) -> Any:
    browser = Browser()
    page = browser.get(link, follow=True)
    address = page.redirect_chain[-1][0] if page.redirect_chain else link
    return browser.post(address, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}, follow=True)


@pytest.mark.parametrize("mailed", [link_to_new_address, link_to_new_password])
def test_a_link_mailed_before_changes_nothing_of_it(alice: User, mailed: Callable[[User], str]) -> None:
    link = mailed(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    follow(link)

    alice.refresh_from_db()
    assert (alice.email, alice.check_password(PASSWORD)) == ("alice@example.com", True)
    assert list(alice.emailaddress_set.filter(verified=True).values_list("email", flat=True)) == ["alice@example.com"]


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/account/login/", {"login": "alice@example.com", "password": PASSWORD}),
        ("/account/password/reset/", {"email": "alice@example.com"}),
        ("/account/confirm-email/again/", {"email": "alice@example.com"}),
    ],
)
def test_nothing_that_is_asked_for_mails_it_a_link(alice: User, path: str, typed: dict[str, str]) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    response = Browser().post(path, typed)

    assert response.status_code in (200, 302)
    assert not Email.objects.exists()


def test_a_link_followed_at_the_same_time_changes_nothing_of_it(alice: User) -> None:
    link_to_new_address(alice)
    address = EmailAddress.objects.get(email=NEW)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    with pytest.raises(Gone):
        email_changes.confirm(address)


@pytest.mark.parametrize("options", [{}, {"update_fields": ["is_active"]}])
def test_sessions_and_waiting_changes_of_before_stay_dead_once_it_is_opened_again(
    alice: User, options: dict[str, Any]
) -> None:
    browser = logged_in(alice)
    link = link_to_new_address(alice)

    set_active(alice, False, **options)
    set_active(alice, True, **options)
    follow(link)

    alice.refresh_from_db()
    assert (alice.is_active, alice.email) == (True, "alice@example.com")
    assert browser.get("/account/security/").status_code == 302
    assert logged_in(alice).get("/account/security/").status_code == 200


def test_sessions_stay_dead_too_where_only_opening_it_again_went_through_the_program(alice: User) -> None:
    browser = logged_in(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    set_active(alice, True)

    assert browser.get("/account/security/").status_code == 302


def test_sessions_stay_dead_where_sql_names_the_epoch_too(alice: User) -> None:
    browser = logged_in(alice)

    for is_active in (False, True):
        User.objects.filter(pk=alice.pk).update(is_active=is_active, session_epoch=f"closed {is_active}")

    assert browser.get("/account/security/").status_code == 302
