"""No page and no error says anything that translators never saw."""

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone, translation
from post_office.models import Email
from pytest_django.fixtures import Settings

from accounts.mail import notices as account_notices
from accounts.mail.notices import Notice
from accounts.models import User
from botpenguin.platform import contacts
from botpenguin.platform.api import reference
from botpenguin.platform.models import Bot, Contact, ContactTag, Platform, Segment
from botpenguin.platform.phones import Phone, unmeant
from developers import issuance
from developers import notices as token_notices
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import LAPTOP, PASSWORD, logged_in, token_text
from tests.pages import PRIVATE_PAGES, visit_all
from tests.platform.calls import BASE, Caller
from tests.platform.test_error_messages import SAMPLES
from tests.platform.test_errors import ADDRESS
from tests.pseudo_language import LETTERS, PSEUDO, outside_of_brackets, speak_pseudo, untranslated_in
from tests.test_project import OPEN_PAGES

pytestmark = pytest.mark.no_cover

# Names, and what stands in the data of this test.
KNOWN = {
    *(
        "BotPenguin",
        "Alice",
        "alice@example.com",
        "carol@example.com",
        "Night desk",
        "Cleo",
        "Weather",
        "vip",
        "Regulars",
    ),
    *(
        "English",
        "Pseudo",
        "GitHub",
        "HTTP",
        "API",
        "GET",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "Bash",
        "PowerShell",
        "Python",
        "JavaScript",
        "python-requests",
    ),
    *Platform.values,
    *Contact.Status.values,
}


@pytest.fixture(autouse=True)
def pseudo(settings: Settings, tmp_path: Path) -> Iterator[None]:
    speak_pseudo(settings, tmp_path)
    reference.groups_in.cache_clear()
    yield
    reference.groups_in.cache_clear()


@pytest.fixture
def browser(alice: User) -> Browser:
    User.objects.filter(pk=alice.pk).update(language=PSEUDO)
    bot = Bot.objects.create(owner=alice, name="Night desk", platform="website")
    contact = Contact.objects.create(owner=alice, bot=bot, name="Cleo")
    ContactTag.objects.create(contact=contact, name="vip")
    Segment.objects.create(owner=alice, name="Regulars", tags=["vip"])
    api = OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com/"))
    ApiLog.objects.create(owner=alice, api=api, api_name="Weather", status=404)
    alice.refresh_from_db()
    browser = logged_in(alice)
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = PSEUDO
    return browser


def of_module(module: ModuleType) -> list[Notice]:
    return [value for value in vars(module).values() if isinstance(value, Notice)]


def subject(notice: Notice) -> str:
    return str(notice.subject)


def without_addresses(text: str) -> str:
    """Return a mail without what is the same in all languages."""
    return re.sub(r"https?://\S+|\S+@\S+|<[^>]+>", "", text)


def untranslated(pages: dict[str, Any]) -> dict[str, list[str]]:
    found = {
        path: untranslated_in(page.content.decode(), KNOWN)
        for path, page in pages.items()
        if page.headers.get("Content-Type", "").startswith("text/html")
    }
    assert len(found) > 5
    return {path: texts for path, texts in found.items() if texts}


def test_no_page_of_an_account_has_untranslated_text(browser: Browser) -> None:
    assert untranslated(visit_all(browser)) == {}


@pytest.mark.django_db
def test_no_page_before_log_in_has_untranslated_text() -> None:
    browser = Browser(headers={"accept-language": PSEUDO})
    paths = [re.sub("<[^>]+>", "x", page) for page in sorted(OPEN_PAGES)]

    assert untranslated({path: browser.get(path) for path in paths}) == {}


def test_no_answer_to_an_empty_form_has_untranslated_text(browser: Browser) -> None:
    pages = {path: browser.post(path, {}) for path in PRIVATE_PAGES if path != "/account/logout/"}
    others = Browser(headers={"accept-language": PSEUDO})
    pages |= {path: others.post(path, {}) for path in sorted(OPEN_PAGES) if "<" not in path}

    assert untranslated(pages) == {}


@pytest.mark.parametrize(
    "notice", [*account_notices.NOTICES.values(), *of_module(account_notices), *of_module(token_notices)], ids=subject
)
def test_no_notice_has_untranslated_text(alice: User, notice: Notice) -> None:
    alice.language = PSEUDO
    facts = dict.fromkeys(re.findall(r"%\((\w+)\)", str(notice.text)), "carol@example.com")

    mail = account_notices.render(alice, notice, LAPTOP, timezone.now(), **facts)

    assert outside_of_brackets(mail.subject) == ("", 0)
    assert untranslated_in(mail.html, KNOWN) + untranslated_in(escape(without_addresses(mail.text)), KNOWN) == []


def test_no_mail_that_a_request_causes_has_untranslated_text(alice: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "post_office.EmailBackend"
    User.objects.filter(pk=alice.pk).update(language=PSEUDO)
    alice.refresh_from_db()
    others = Browser(headers={"accept-language": PSEUDO})
    caught = token_text(alice)

    for email in (alice.email, "carol@example.com"):
        others.post("/account/signup/", {"email": email, "password1": "two owls count to seven"})
    others.post("/account/password/reset/", {"email": alice.email})
    others.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    issuance.revoke(alice, 1, LAPTOP, even_if_used=False)
    Browser().get(ADDRESS, headers={"Authorization": f"Bearer {caught}"})
    Browser().post(f"{BASE}/token/report-exposed", {"tokens": [token_text(alice)]}, "application/json")

    mails = Email.objects.order_by("pk")
    texts = {
        mail.subject: untranslated_in(mail.html_message, KNOWN)
        + untranslated_in(escape(without_addresses(mail.message)), KNOWN)
        for mail in mails
    }
    assert len(texts) == 5
    assert [subject for subject in texts if outside_of_brackets(subject) != ("", 0)] == []
    assert {subject: left for subject, left in texts.items() if left} == {}


@pytest.mark.parametrize(("call", "status"), [sample[:2] for sample in SAMPLES])
def test_no_error_of_the_api_has_untranslated_text(alice: User, call: tuple[str, str, Any], status: int) -> None:
    response = Caller(token_text(alice)).send(*call, **{"Accept-Language": PSEUDO})

    answer = response.json()
    assert response.status_code == status
    assert [text for text in (answer["message"], *answer["data"]) if LETTERS.search(outside_of_brackets(text)[0])] == []


def clauses_about_contacts() -> list[str]:
    """Return clauses that stand inside of other messages."""
    texts = ["9876543210.0", "9,876,543,210", "9.87E+09", "020 7946 0991 x5", "12345 / 67890", "call 98765", "12"]
    numbers = [Phone.of(*each).problem for each in [("+999 1234567", ""), ("+44 123", ""), ("2079460991", "999")]]
    problems = [*map(unmeant, texts), *numbers]
    found = [problem % {"field": "number"} for problem in problems if problem]
    clauses = [contacts.EMAIL_TAKEN, contacts.PHONE_TAKEN, contacts.TAKEN_BY_TWO, contacts.SEVERAL_WITH_PHONE]
    clauses += [contacts.NOBODY, contacts.TOO_MANY_ATTRIBUTES, contacts.TOO_MANY_TAGS, contacts.TOO_LARGE]
    return [*found, *map(str, clauses), str(contacts.TooLarge(2**23))]


def test_no_clause_about_a_contact_is_untranslated() -> None:
    with translation.override(PSEUDO):
        found = clauses_about_contacts()

    assert len(found) == 19
    assert [text for text in found if outside_of_brackets(text) != ("", 0)] == []


def test_an_untranslated_text_is_found() -> None:
    page = '<p>⟦Mark <b>all</b>⟧ <code>x</code></p><p title="No word">Left in English</p><time>1 May</time>'

    assert untranslated_in(page, KNOWN) == ["No word", "Left in English"]
