"""Mails are in the language of their reader, whatever the request or the worker has."""

import re

import pytest
from django.test import Client as Browser
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from post_office.models import Email

from accounts.mail import notices, queue
from accounts.models import SignUp, User
from accounts.security_log import Kind, record
from accounts.web.clients import Client
from tests.accounts.mail.mails import newest
from tests.accounts.sign_ups import CAROL, OWN, sign_up
from tests.cast import LAPTOP, PASSWORD, logged_in

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("queued_mail")]


@pytest.fixture
def german() -> Browser:
    return Browser(headers={"accept-language": "de"})


def in_arabic(person: User) -> User:
    User.objects.filter(pk=person.pk).update(language="ar")
    person.refresh_from_db()
    return person


def languages_of(mail: Email) -> set[tuple[str, str]]:
    """Return the languages and directions that the parts of a mail name."""
    return set(re.findall(r'lang="([\w-]+)"\s+dir="(\w+)"', mail.html_message))


def test_a_notice_is_in_the_owners_language_whoever_causes_it(alice: User, german: Browser) -> None:
    log_in = {"login": in_arabic(alice).email, "password": PASSWORD}
    Browser().post("/account/login/", log_in)
    german.post("/account/login/", log_in)

    assert languages_of(newest()) == {("ar", "rtl")}


def test_a_notice_to_an_account_without_a_language_is_in_english(alice: User) -> None:
    with translation.override("de"):
        mail = notices.render(alice, notices.ACCOUNT_DELETED, LAPTOP, timezone.now())

    assert '<html lang="en" dir="ltr">' in mail.html


def test_the_facts_of_a_notice_are_in_its_language_too(alice: User) -> None:
    alice.language = "de"
    notice = notices.Notice(_("Log out"), _("“%(value)s” value must be an integer."))

    mail = notices.render(alice, notice, Client("", ""), timezone.now(), value="x")

    assert mail.subject == "Abmelden"
    assert "Der Wert „x“ muss eine ganze Zahl sein." in mail.text


def test_a_mail_without_details_is_in_the_owners_language(alice: User) -> None:
    alice.language, alice.time_zone = "de", "Nowhere/At_all"

    mail = queue.render("accounts/mail/notice", _("Log out"), {}, alice)

    assert (mail.subject, mail.text.splitlines()[0], mail.html) == ("Abmelden", "Abmelden.", "")


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/account/password/reset/", {"email": "alice@example.com"}),
        ("/account/signup/", {"email": "alice@example.com", "password1": OWN}),
    ],
    ids=["a new password", "an account that exists"],
)
def test_a_mail_that_a_browser_requests_is_in_the_language_of_its_reader(
    alice: User, german: Browser, address: str, form: dict[str, str]
) -> None:
    in_arabic(alice)

    german.post(address, form)

    assert languages_of(newest()) == {("ar", "rtl")}


def test_a_link_to_an_account_without_a_language_is_in_that_of_the_browser(alice: User, german: Browser) -> None:
    german.post("/account/password/reset/", {"email": alice.email})

    assert languages_of(newest()) == {("de", "ltr")}


def test_the_link_of_a_new_address_is_in_the_accounts_language(alice: User) -> None:
    browser = logged_in(in_arabic(alice))

    browser.post("/account/email/", {"email": "new@example.com", "action_add": ""})

    assert [languages_of(mail) for mail in Email.objects.all()] == [{("ar", "rtl")}] * 2


def test_a_sign_up_keeps_its_language_until_it_is_an_account(db: None, german: Browser) -> None:
    link = sign_up(german)
    first = newest()

    english = Browser(headers={"accept-language": "en"})
    english.post("/account/confirm-email/again/", {"email": CAROL})
    english.post(link, {"password": OWN})

    assert languages_of(first) == languages_of(newest()) == {("de", "ltr")}
    assert first.pk != newest().pk
    assert User.objects.get(email=CAROL).language == "de"


def test_a_sign_up_again_in_another_language_has_that(db: None, german: Browser) -> None:
    sign_up(german)
    german.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    sign_up(german)

    assert SignUp.objects.get().language == "fr"


def test_a_sign_up_of_a_browser_that_names_no_language_leaves_it_open(db: None) -> None:
    sign_up(Browser())

    assert SignUp.objects.get().language == ""
    assert languages_of(newest()) == {("en", "ltr")}


def test_a_summary_is_in_the_language_that_its_owner_has_at_the_last_event(alice: User) -> None:
    def happen() -> None:
        event = record(Kind.LOGGED_IN, alice, LAPTOP)
        notice = notices.Notice(_("Log out"), _("Log in"))
        notices.notify(event, alice, notice)

    for _number in range(queue.MAILS_AN_HOUR + 1):
        happen()
    alice.language = "de"
    happen()

    summary = newest()
    assert (summary.subject, languages_of(summary)) == ("Abmelden", {("de", "ltr")})
