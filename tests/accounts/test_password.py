"""A new password ends the sessions that the old one opened, and the token too unless its owner says otherwise."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.test import Client as Browser
from post_office.models import Email

from accounts.models import Session, User
from accounts.security_log import Kind
from developers import usage
from developers.models import ApiToken, RevokedToken
from tests.accounts.mail.mails import link_in, newest
from tests.cast import LAPTOP, PASSWORD, logged_in, token_events, token_text

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("queued_mail")]

CHANGE = "/account/password/change/"
NEW_PASSWORD = "another good passphrase"
NEW = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
TICKED = {"revoke_token": "on"}


def change(browser: Browser, **data: str) -> Any:
    return browser.post(CHANGE, {"oldpassword": PASSWORD} | NEW | data)


def open_reset(browser: Browser, email: str = "alice@example.com") -> str:
    """Ask for a reset and follow the mailed link; return the address of the form."""
    browser.post("/account/password/reset/", {"email": email})
    address: str = browser.get(link_in(newest()), follow=True).redirect_chain[-1][0]
    return address


def reset(browser: Browser, **data: str) -> Any:
    return browser.post(open_reset(browser), NEW | data)


def api_status(token: str) -> int:
    return Browser().get("/api/v7/token", headers={"Authorization": f"Bearer {token}"}).status_code


def messages_on(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_both_pages_offer_the_revoke_ticked(alice: User) -> None:
    browser = logged_in(alice)

    pages = [browser.get(CHANGE), browser.get(open_reset(browser))]

    boxes = [re.findall(r"<input[^>]*revoke_token[^>]*>", page.content.decode()) for page in pages]
    assert [(len(found), "checked" in found[0]) for found in boxes] == [(1, True), (1, True)]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "choose", [lambda alice: change(logged_in(alice), **TICKED), lambda _: reset(Browser(), **TICKED)]
)
def test_a_token_does_not_survive_a_new_password_where_the_box_is_ticked(alice: User, choose: Any) -> None:
    old = token_text(alice)
    usage.record_use(alice.pk, 1, LAPTOP)

    choose(alice)

    assert (api_status(old), api_status(token_text(alice))) == (401, 200)
    revoked = RevokedToken.objects.get()
    assert (revoked.hint, revoked.get_reason_display()) == (old[-4:], "Password changed")
    event = token_events().get(kind=Kind.TOKEN_REVOKED)
    assert (event.get_detail_display(), event.ip) == ("With the password.", "127.0.0.1")


@pytest.mark.parametrize("choose", [lambda alice: change(logged_in(alice)), lambda _: reset(Browser())])
def test_a_token_survives_a_new_password_where_the_box_is_not_ticked(alice: User, choose: Any) -> None:
    old = token_text(alice)

    choose(alice)

    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
    assert (api_status(old), RevokedToken.objects.count()) == (200, 0)


def test_changing_the_password_shows_messages_about_both_and_leads_to_my_account(alice: User) -> None:
    browser = logged_in(alice)
    hint = token_text(alice)[-4:]

    response = change(browser, **TICKED)

    assert (response.status_code, response["Location"]) == (302, "/account/")
    assert messages_on(browser.get("/account/")) == [
        f"Your API token ending {hint} was revoked. A new one is in place.",
        "Password changed.",
    ]


def test_resetting_the_password_shows_one_message_about_both(alice: User) -> None:
    browser = Browser()
    hint = token_text(alice)[-4:]

    done = browser.get(reset(browser, **TICKED)["Location"])

    assert f"Your API token ending {hint} was revoked. A new one is in place." in done.content.decode()
    assert messages_on(browser.get("/account/login/")) == []


@pytest.mark.parametrize(
    "wrong", [{"oldpassword": "guessed wrong"}, {"password2": "misspelt passphrase"}, {"password1": "short"}]
)
def test_a_change_that_is_refused_revokes_nothing(alice: User, wrong: dict[str, str]) -> None:
    browser, old = logged_in(alice), token_text(alice)

    response = change(browser, **TICKED, **wrong)

    alice.refresh_from_db()
    assert (response.status_code, alice.check_password(PASSWORD), token_text(alice)) == (200, True, old)


def test_a_person_without_a_token_sees_no_message_about_one(alice: User) -> None:
    ApiToken.objects.all().delete()
    browser = logged_in(alice)

    change(browser, **TICKED)

    assert messages_on(browser.get("/account/")) == ["Password changed."]
    assert not ApiToken.objects.exists()


def test_a_person_without_a_password_gets_one_by_mail(alice: User) -> None:
    alice.set_unusable_password()
    alice.save()

    response = logged_in(alice).get(CHANGE)

    assert (response.status_code, response["Location"]) == (302, "/account/password/reset/")


def test_a_token_that_cannot_be_read_is_revoked_all_the_same(alice: User) -> None:
    old = token_text(alice)
    ApiToken.objects.update(ciphertext="damaged")

    change(logged_in(alice), **TICKED)

    assert (api_status(old), api_status(token_text(alice))) == (401, 200)


def test_the_owner_is_mailed_of_the_revoke(alice: User) -> None:
    hint = token_text(alice)[-4:]

    change(logged_in(alice), **TICKED)

    mail = Email.objects.get(subject="Your API access token was revoked")
    assert mail.to == ["alice@example.com"]
    for text in (mail.message, mail.html_message):
        assert hint in text
        assert "It was revoked when your password was changed." in text


def test_somebody_elses_token_and_sessions_stay(alice: User, bob: User) -> None:
    theirs, browser = token_text(bob), logged_in(bob)

    change(logged_in(alice), **TICKED)

    assert (token_text(bob), browser.get("/account/").status_code) == (theirs, 200)


def test_changing_the_password_keeps_this_session_and_ends_the_others(alice: User) -> None:
    here, there = logged_in(alice), logged_in(alice)

    change(here)

    assert Session.objects.count() == 1
    assert (here.get("/account/").status_code, there.get("/account/").status_code) == (200, 302)


def test_resetting_the_password_ends_every_session(alice: User) -> None:
    here, there = logged_in(alice), logged_in(alice)

    response = reset(here)

    assert (response.status_code, response["Location"]) == (302, "/account/password/reset/key/done/")
    assert [browser.get("/account/").status_code for browser in (here, there)] == [302, 302]


@pytest.mark.no_cover
@pytest.mark.parametrize("choose", [lambda alice: change(logged_in(alice)), lambda _: reset(Browser())])
def test_a_change_of_email_that_a_thief_has_asked_for_does_not_survive_a_new_password(
    alice: User, bob: User, choose: Any
) -> None:
    logged_in(bob).post("/account/email/", {"email": "bob@wonderland.example", "action_add": ""})
    his = link_in(newest())
    logged_in(alice).post("/account/email/", {"email": "thief@example.net", "action_add": ""})
    theirs = link_in(newest())

    choose(alice)

    page = Browser().post(theirs, follow=True)
    logged_in(bob).post(his)
    for person in (alice, bob):
        person.refresh_from_db()
    assert "a new password has ended it" in page.content.decode()
    assert (alice.email, bob.email) == ("alice@example.com", "bob@wonderland.example")


def test_a_link_for_a_new_password_works_once(alice: User) -> None:
    browser, stale, late = Browser(), Browser(), Browser()
    browser.post("/account/password/reset/", {"email": alice.email})
    link = link_in(newest())
    form, stale_form = (each.get(link, follow=True).redirect_chain[-1][0] for each in (browser, stale))
    browser.post(form, NEW)

    answer = stale.post(stale_form, {"password1": "a third passphrase", "password2": "a third passphrase"})
    page = late.get(link, follow=True)

    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
    assert ["password1" in shown.content.decode() for shown in (answer, page)] == [False, False]


def test_a_log_in_ends_a_link_for_a_new_password(alice: User) -> None:
    Browser().post("/account/password/reset/", {"email": alice.email})
    link = link_in(newest())
    Browser().post("/account/login/", {"login": alice.email, "password": PASSWORD})

    page = Browser().get(link, follow=True)

    assert "password1" not in page.content.decode()


@pytest.mark.parametrize(("age", "works"), [(timedelta(days=3), True), (timedelta(days=3, seconds=1), False)])
def test_a_link_for_a_new_password_works_for_three_days(
    alice: User, monkeypatch: pytest.MonkeyPatch, age: timedelta, works: bool
) -> None:
    browser = Browser()
    now = datetime.now(UTC).replace(tzinfo=None)
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: now)
    browser.post("/account/password/reset/", {"email": alice.email})
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: now + age)

    response = browser.get(link_in(newest()), follow=True)

    assert bool(response.redirect_chain) == works
    assert ("password1" in response.content.decode()) == works


def test_a_session_opened_with_an_old_password_does_not_show_the_new_token(alice: User) -> None:
    thief = logged_in(alice)

    change(logged_in(alice), **TICKED)

    response = thief.post("/developers/api-access-token/copy/", headers={"Accept": "application/json"})
    assert (response.status_code, "token" in response.json()) == (403, False)
