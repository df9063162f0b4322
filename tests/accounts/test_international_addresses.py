"""Addresses with domains of every script: typed in either spelling in every place, and shown in their own."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client as Browser
from post_office.models import Email

from accounts.models import SignUp, User
from developers import issuance
from developers.models import ApiToken
from tests.accounts import email_change
from tests.accounts.mail.mails import link_in, newest
from tests.accounts.throttling.visitors import NEW_PASSWORD, log_in
from tests.cast import LAPTOP, PASSWORD, logged_in

pytestmark = [pytest.mark.matrix, pytest.mark.django_db, pytest.mark.usefixtures("queued_mail")]

STORED, SHOWN = "zoe@xn--mnchen-3ya.example", "zoe@münchen.example"
TYPED = [
    STORED,
    SHOWN,
    "Zoe@MÜNCHEN.Example",
    "ZOE@XN--MNCHEN-3YA.EXAMPLE",
    "zoe@mu\u0308nchen.example",
    "ｚｏｅ＠ｍünchen．ｅｘａｍｐｌｅ",
    "zoe@münchen。example",
    "\u202azoe@münchen.example\u202c",
    "\u00a0zoe@mün\u00adchen.example\u200b",
]


@pytest.fixture
def zoe() -> User:
    return User.objects.create_user(SHOWN, PASSWORD)


@pytest.mark.parametrize("typed", TYPED, ids=ascii)
def test_every_form_takes_every_spelling(typed: str, alice: User) -> None:
    Browser().post("/account/signup/", {"email": typed, "password1": NEW_PASSWORD})
    signed_up = SignUp.objects.get().email
    SignUp.objects.all().delete()
    User.objects.create_user(SHOWN, PASSWORD)
    opened = log_in(Browser(), PASSWORD, typed)
    Browser().post("/account/password/reset/", {"email": typed})
    reset = newest()
    again = Browser().post("/account/confirm-email/again/", {"email": typed})
    email_change.ask_for(logged_in(alice), typed)
    changed = newest()

    assert signed_up == STORED
    assert (opened.status_code, opened["Location"], again.status_code) == (302, "/", 302)
    assert (reset.to, reset.subject) == ([STORED], "Choose a new BotPenguin password")
    assert list(alice.emailaddress_set.filter(verified=False).values_list("email", flat=True)) == [STORED]
    assert changed.to == [STORED]


@pytest.mark.parametrize("typed", TYPED[:4], ids=ascii)
def test_every_command_and_the_admin_take_every_spelling(typed: str, zoe: User, alice: User) -> None:
    issuance.issue(zoe, LAPTOP)
    output = StringIO()
    User.objects.filter(pk=alice.pk).update(is_superuser=True, is_staff=True)

    call_command("revoke_tokens", "--user", typed, stdout=output)
    call_command("remove_factors", "--user", typed, stdout=output)
    call_command("seed_demo", "--user", typed, stdout=output)
    found = logged_in(alice).get("/admin/developers/apitoken/", {"q": typed})
    by_domain = logged_in(alice).get("/admin/developers/apitoken/", {"q": typed.rpartition("@")[2]})

    assert ApiToken.objects.get(user=zoe).generation == 2
    assert f"{STORED} has none" in output.getvalue()
    assert not logged_in(alice).get("/admin/developers/apitoken/", {"q": "zoë@nowhere"}).context["cl"].result_list
    for page in (found, by_domain):
        assert [token.user for token in page.context["cl"].result_list] == [zoe]


def test_pages_and_mails_show_the_domain_in_its_script(zoe: User) -> None:
    browser = logged_in(zoe)
    asked = email_change.ask_for(browser, "new@ä.example")
    [notice] = Email.objects.filter(to=STORED)
    link = link_in(newest())
    followed = browser.get(link)
    elsewhere = Browser().get(link)
    confirmed = browser.post(link, follow=True)
    Browser().post("/account/signup/", {"email": "other@ä.example", "password1": NEW_PASSWORD})
    signed_up = Browser().get(link_in(newest()))

    assert f'You log in as <strong dir="ltr">{SHOWN}</strong>' in asked.content.decode()
    assert 'We have sent a link to <bdi dir="ltr">new@ä.example</bdi>.' in asked.content.decode()
    assert f"as new@ä.example. It replaces {SHOWN}" in " ".join(notice.message.split())
    assert 'Is <strong dir="ltr">new@ä.example</strong> yours?' in followed.content.decode()
    assert 'wants <strong dir="ltr">new@ä.example</strong>' in elsewhere.content.decode()
    assert "new@ä.example is confirmed. You log in with it from now on." in confirmed.content.decode()
    assert 'signed up with <strong dir="ltr">other@ä.example</strong>' in signed_up.content.decode()
    assert "new@ä.example" in browser.get("/account/").content.decode()
    zoe.refresh_from_db()
    assert zoe.email == "new@xn--4ca.example"


@pytest.mark.parametrize("typed", TYPED[:4], ids=ascii)
def test_an_account_is_deleted_with_every_spelling_of_its_address(typed: str, zoe: User) -> None:
    deleted = logged_in(zoe).post("/account/delete/", {"email": typed})

    assert deleted.status_code == 302
    assert User.objects.by_email(STORED) is None
