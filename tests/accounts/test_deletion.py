"""Deleting an account closes it at once, and later deletes its rows and no others."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.test import Client as Browser
from django.utils import timezone
from post_office.models import STATUS, Email

from accounts import deletion
from accounts.events import SecurityEvent
from accounts.models import Session, User
from botpenguin.platform.models import Bot, Contact
from developers import issuance, usage
from developers.models import ApiToken, ProgramLabel, RevokedToken, TokenUse
from tests.accounts.mail.mails import link_in, newest
from tests.cast import LAPTOP, PASSWORD, logged_in, reauthenticate, token_text

PAGE = "/account/delete/"
NEW_PASSWORD = "another good passphrase"


def delete(browser: Browser, email: str = "alice@example.com", **options: Any) -> Any:
    return browser.post(PAGE, {"email": email}, **options)


def finish() -> None:
    """Delete rows as a mail worker does."""
    sum(deletion.finish_all())


def rows() -> dict[str, int]:
    """Count the rows of every table of the project's own."""
    labels = ("accounts", "developers", "platform", "account", "mfa")
    return {
        model._meta.label: model._base_manager.count()
        for label in labels
        for model in apps.get_app_config(label).get_models()
    }


def give_everything(owner: User) -> None:
    """Give a person a row of each kind that people have."""
    issuance.revoke(owner, 1, LAPTOP, even_if_used=True)
    now = timezone.now()
    TokenUse.objects.create(user=owner, day=now, generation=1, is_refused=True, count=1, first_at=now, last_at=now)
    ProgramLabel.objects.create(user=owner, program="n8n", label="CRM sync")
    bot = Bot.objects.create(owner=owner, name="Night desk", platform="website")
    Contact.objects.create(owner=owner, bot=bot, name="Carol")
    logged_in(owner)


def test_everything_of_the_person_goes_and_nothing_of_anybody_else(bob: User) -> None:
    give_everything(bob)
    before = rows()
    alice = User.objects.create_user("alice@example.com", PASSWORD)
    issuance.issue(alice, LAPTOP)
    give_everything(alice)
    between = rows()

    delete(logged_in(alice))
    finish()

    after = rows() | {"accounts.Session": Session.objects.exclude(user=None).count()}
    assert after == before
    kinds = (User, Session, EmailAddress, ApiToken, RevokedToken, TokenUse, ProgramLabel, SecurityEvent, Bot, Contact)
    for model in kinds:
        assert between[model._meta.label] > before[model._meta.label]


@pytest.mark.no_cover
@pytest.mark.usefixtures("queued_mail")
def test_mails_to_a_deleted_account_are_deleted_but_for_the_last_one(alice: User, bob: User) -> None:
    old = logged_in(alice)
    old.post("/account/email/", {"email": "alice@wonderland.example", "action_add": ""})
    old.post(link_in(newest()))
    alice.refresh_from_db()
    for owner in (alice, bob):
        issuance.revoke(owner, 1, LAPTOP, even_if_used=True)
    Email.objects.filter(to="alice@example.com").update(status=STATUS.sent)
    before = sorted(str(mail.to) for mail in Email.objects.all())

    delete(logged_in(alice), "alice@wonderland.example")
    finish()

    here, there = "['alice@wonderland.example']", "['alice@example.com']"
    assert before == [there, there, here, here, "['bob@example.org']"]
    assert [(mail.to, mail.subject) for mail in Email.objects.order_by("pk")] == [
        (["bob@example.org"], "Your API access token was revoked"),
        (["alice@wonderland.example"], "Your account was deleted"),
    ]


def test_the_token_and_every_session_stop_at_once(alice: User) -> None:
    token, here, there = token_text(alice), logged_in(alice), logged_in(alice)

    delete(here)

    call = Browser().get("/api/v7/token", headers={"Authorization": f"Bearer {token}"})
    assert (call.status_code, ApiToken.objects.count()) == (401, 0)
    assert [browser.get("/account/").status_code for browser in (here, there)] == [302, 302]
    assert Browser().post("/account/login/", {"login": "alice@example.com", "password": PASSWORD}).status_code == 200


def test_the_address_is_free_at_once_and_what_comes_to_it_since_stays(alice: User, queued_mail: None) -> None:
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)
    delete(logged_in(alice))
    newcomer = Browser()
    newcomer.post("/account/signup/", {"email": "alice@example.com", "password1": NEW_PASSWORD})
    newcomer.post(link_in(newest()))

    finish()

    [anew] = User.objects.all()
    assert (anew.email, anew.check_password(NEW_PASSWORD)) == ("alice@example.com", True)
    assert anew.pk > alice.pk
    assert [mail.subject for mail in Email.objects.order_by("pk")] == [
        "Your account was deleted",
        "Confirm your email for BotPenguin",
    ]


def test_a_revoked_token_that_is_tried_meanwhile_mails_nobody(alice: User, queued_mail: None) -> None:
    token = token_text(alice)
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)
    RevokedToken.objects.update(revoked_at=timezone.now() - timedelta(days=2))
    delete(logged_in(alice))
    before = Email.objects.count()

    call = Browser().get("/api/v7/token", headers={"Authorization": f"Bearer {token}"})

    assert (call.status_code, RevokedToken.objects.get().refused_count) == (401, 1)
    assert Email.objects.count() == before


def test_the_log_in_page_confirms_it_and_the_browser_clears_its_cache(alice: User) -> None:
    browser = logged_in(alice)

    response = delete(browser)

    assert (response.status_code, response["Location"], response["Clear-Site-Data"]) == (
        302,
        "/account/login/",
        '"cache"',
    )
    assert (
        "Your account is deleted. What was in it is removed within minutes."
        in browser.get("/account/login/").content.decode()
    )


@pytest.mark.parametrize("typed", ["Alice@Example.COM", " alice@example.com "])
def test_the_email_may_be_typed_in_any_case(alice: User, typed: str) -> None:
    delete(logged_in(alice), typed)

    assert User.objects.by_email(alice.email) is None


@pytest.mark.parametrize("typed", ["", "alice", "bob@example.org"])
def test_another_email_deletes_nobody(alice: User, bob: User, typed: str) -> None:
    response = delete(logged_in(alice), typed)

    assert (response.status_code, len(response.context["form"].errors["email"])) == (200, 1)
    assert User.objects.count() == 2


def test_the_page_says_what_will_stop(alice: User) -> None:
    browser = logged_in(alice)
    unused = " ".join(browser.get(PAGE).content.decode().split())
    usage.record_use(alice.pk, 1, LAPTOP)
    bot = Bot.objects.create(owner=alice, name="Night desk", platform="website")
    for name in ("Carol", "Dave"):
        Contact.objects.create(owner=alice, bot=bot, name=name)

    used = " ".join(browser.get(PAGE).content.decode().split())

    assert "Your API token. Nothing uses it yet." in unused
    assert "0 bots are deleted. 0 contacts are deleted." in unused
    hint = token_text(alice)[-4:]
    ending = f'ending <bdi dir="ltr">{hint}</bdi>.'
    assert f"Everything that uses your API token {ending} It was last used just now." in used
    assert "1 bot is deleted. 2 contacts are deleted." in used


def test_an_old_authentication_deletes_no_account(alice: User) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=7200)

    response = delete(browser)

    assert (response.status_code, response["Location"]) == (302, "/account/reauthenticate/?next=%2Faccount%2Fdelete%2F")
    assert User.objects.get() == alice


def test_a_form_of_another_site_deletes_nobody(alice: User) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(alice)
    reauthenticate(browser, alice)

    response = delete(browser)

    assert response.status_code == 403
    assert User.objects.get() == alice
