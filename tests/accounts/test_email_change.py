"""A new email is valid once its link is followed, and does not reveal who has an account."""

from datetime import timedelta

import pyotp
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone
from post_office.models import Email

from accounts import email_changes
from accounts.events import SecurityEvent
from accounts.models import SignUp, User
from tests.accounts.email_change import NEW, PAGE, RESET, ask_for, can_log_in, messages_on, text
from tests.accounts.mail.mails import link_in, newest
from tests.cast import PASSWORD, logged_in, reauthenticate

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("queued_mail")]


@pytest.mark.no_cover
def test_a_new_address_counts_once_its_link_is_followed(alice: User) -> None:
    browser = logged_in(alice)

    asked = ask_for(browser)
    link = link_in(newest())
    before = (can_log_in("alice@example.com"), can_log_in(NEW))
    question = browser.get(link)
    confirmed = browser.post(link, follow=True)

    assert f'We have sent a link to <bdi dir="ltr">{NEW}</bdi>.' in text(asked)
    assert before == (True, False)
    assert (
        f'Is <strong dir="ltr">{NEW}</strong> yours? Confirm it, and you log in with it instead of your old address.'
        in text(question)
    )
    assert "alice@example.com" not in text(question)
    assert confirmed.redirect_chain == [("/account/", 302)]
    assert messages_on(confirmed) == [f"{NEW} is confirmed. You log in with it from now on."]
    assert (can_log_in("alice@example.com"), can_log_in(NEW)) == (False, True)
    assert list(alice.emailaddress_set.values_list("email", "verified", "primary")) == [(NEW, True, True)]


def test_an_address_that_waits_for_its_link_is_mailed_no_link_for_a_new_password(alice: User) -> None:
    """The new address may be mistyped, or a thief's."""
    ask_for(logged_in(alice))
    before = Email.objects.count()

    Browser().post(RESET, {"email": NEW})
    Browser().post(RESET, {"email": "Alice@Example.com"})

    assert [mail.to for mail in Email.objects.order_by("pk")[before:]] == [["alice@example.com"]]


def test_an_address_that_waits_for_its_link_says_nothing_of_a_password_typed_with_it(alice: User) -> None:
    ask_for(logged_in(alice))
    before = Email.objects.count()

    right, wrong = (
        Browser().post("/account/login/", {"login": NEW, "password": password}) for password in (PASSWORD, "no")
    )

    errors = "That email and password do not match. Check both and try again."
    assert [response.context["form"].non_field_errors() for response in (right, wrong)] == [[errors]] * 2
    assert Email.objects.count() == before


def test_asking_for_another_address_does_not_end_a_link_for_a_new_password(alice: User) -> None:
    """Otherwise a thief in the owner's session could stop the owner from ending it."""
    thief, browser = logged_in(alice), Browser()
    browser.post(RESET, {"email": "alice@example.com"})
    link = link_in(newest())

    ask_for(thief)

    form = browser.get(link, follow=True).redirect_chain[-1][0]
    browser.post(form, {"password1": "another good passphrase", "password2": "another good passphrase"})
    alice.refresh_from_db()
    assert alice.check_password("another good passphrase")


def test_an_address_is_stored_in_lower_case(alice: User) -> None:
    browser = logged_in(alice)
    ask_for(browser, "Alice@Wonderland.Example")

    browser.post(link_in(newest()))

    alice.refresh_from_db()
    assert alice.email == NEW


@pytest.mark.no_cover
def test_known_and_unknown_addresses_are_answered_alike(alice: User, bob: User) -> None:
    known, unknown = (ask_for(logged_in(alice), email) for email in ("bob@example.org", "nobody@example.org"))

    assert [chain for chain, _status in known.redirect_chain + unknown.redirect_chain] == [PAGE, PAGE]
    assert 'We have sent a link to <bdi dir="ltr">bob@example.org</bdi>.' in text(known)
    assert 'We have sent a link to <bdi dir="ltr">nobody@example.org</bdi>.' in text(unknown)


def test_an_address_that_belongs_to_another_is_not_given_away(alice: User, bob: User) -> None:
    ask_for(logged_in(alice), "bob@example.org")
    link = link_in(newest())

    page = Browser().get(link)
    Browser().post(link)

    alice.refresh_from_db()
    assert '<bdi dir="ltr">bob@example.org</bdi> belongs to another account already.' in text(page)
    assert (alice.email, User.objects.get(email="bob@example.org")) == ("alice@example.com", bob)


def test_an_address_that_another_takes_meanwhile_is_not_given_away(alice: User) -> None:
    ask_for(logged_in(alice))
    link = link_in(newest())
    another = User.objects.create_user(NEW, PASSWORD)

    Browser().post(link)

    alice.refresh_from_db()
    assert (alice.email, User.objects.get(email=NEW)) == ("alice@example.com", another)


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@example.com", "no address", ""])
def test_ones_own_address_and_none_at_all_are_refused(alice: User, email: str) -> None:
    response = ask_for(logged_in(alice), email)

    assert (response.redirect_chain, len(response.context["form"].errors["email"])) == ([], 1)
    assert not Email.objects.exists()


@pytest.mark.no_cover
def test_the_last_address_asked_for_is_the_one_that_counts(alice: User) -> None:
    browser = logged_in(alice)
    ask_for(browser, "first@example.org")
    first = link_in(newest())

    ask_for(browser)

    assert "This link no longer works" in text(Browser().get(first))
    browser.post(link_in(newest()))
    alice.refresh_from_db()
    assert alice.email == NEW


def test_a_person_who_cancels_a_change_keeps_the_old_address(alice: User) -> None:
    browser = logged_in(alice)
    ask_for(browser)
    link = link_in(newest())

    response = browser.post(PAGE, {"email": NEW, "action_remove": ""}, follow=True)

    assert messages_on(response) == [f"{NEW} is removed. You log in with your old address as before."]
    assert "Waiting for your confirmation" not in text(response)
    assert "This link no longer works" in text(Browser().get(link))


@pytest.mark.no_cover
def test_an_address_that_somebody_asks_for_is_free_to_be_signed_up_with_by_whose_it_is(bob: User) -> None:
    ask_for(logged_in(bob))
    his = link_in(newest())
    cache.clear()
    new, browser = {"email": NEW, "password1": "another good passphrase"}, Browser()

    browser.post("/account/signup/", new)
    mailed = newest()
    browser.post(link_in(mailed))
    entered = browser.post("/account/login/", {"login": NEW, "password": new["password1"]})

    assert (mailed.to, mailed.subject) == ([NEW], "Confirm your email for BotPenguin")
    assert entered["Location"] == "/"
    assert "This link no longer works" in text(Browser().get(his))
    addresses = EmailAddress.objects.order_by("email").values_list("email", "verified", "primary")
    assert list(addresses) == [(NEW, True, True), ("bob@example.org", True, True)]


@pytest.mark.no_cover
def test_an_address_that_somebody_has_signed_up_with_and_not_confirmed_is_free_to_change_to(alice: User) -> None:
    Browser().post("/account/signup/", {"email": NEW, "password1": "another good passphrase"})
    cache.clear()
    browser = logged_in(alice)
    ask_for(browser)

    confirmed = browser.post(link_in(newest()), follow=True)

    assert messages_on(confirmed) == [f"{NEW} is confirmed. You log in with it from now on."]
    assert list(User.objects.values_list("email", flat=True)) == [NEW]
    assert not SignUp.objects.exists()
    assert can_log_in(NEW)


def test_a_change_that_nobody_confirms_is_forgotten_after_three_days(alice: User, bob: User) -> None:
    for person, age in ((alice, timedelta(days=3, minutes=1)), (bob, timedelta(days=2, hours=23))):
        ask_for(logged_in(person), f"new-{person.email}")
        SecurityEvent._base_manager.filter(user=person).update(at=timezone.now() - age)

    forgotten = sum(email_changes.forget_old())

    left = EmailAddress.objects.filter(verified=False).order_by("email").values_list("email", flat=True)
    assert (forgotten, list(left)) == (1, ["new-bob@example.org"])


def test_a_pending_change_waits_while_its_owner_reauthenticates(alice: User) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=7200)

    response = browser.post(PAGE, {"email": NEW, "action_add": ""})

    assert (response.status_code, response["Location"]) == (302, "/account/reauthenticate/?next=%2Faccount%2Femail%2F")
    assert not Email.objects.exists()


def test_a_person_with_an_authenticator_app_may_change_their_email(alice: User) -> None:
    browser = logged_in(alice)
    TOTP.activate(alice, pyotp.random_base32())

    ask_for(browser)
    browser.post(link_in(newest()), follow=True)

    alice.refresh_from_db()
    assert alice.email == NEW
