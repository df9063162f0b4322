"""The language of a page: the account's, else the browser's. No thread keeps it for its next request."""

import re
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from django.urls import path
from django.utils import translation
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin import urls
from tests.cast import PASSWORD, logged_in

pytestmark = pytest.mark.matrix

LOG_IN, CHOOSE, ACCOUNT = "/account/login/", "/account/language/", "/account/"


def damaged(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


def unavailable(request: HttpRequest) -> HttpResponse:
    raise OperationalError


handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500
urlpatterns = [*urls.urlpatterns, path("damaged", damaged), path("unavailable", unavailable)]


def browser_in(languages: str, cookie: str = "") -> Browser:
    browser = Browser(headers={"accept-language": languages})
    if cookie:
        browser.cookies["language"] = cookie
    return browser


def in_german(person: User) -> User:
    User.objects.filter(pk=person.pk).update(language="de")
    person.refresh_from_db()
    return person


def shown_in(page: Any) -> tuple[str, str]:
    """Return the language that the page has, and the one that its header names."""
    [language] = re.findall(r'<html lang="([\w-]+)"', page.content.decode())
    return language, page.headers["Content-Language"]


def chosen(person: User) -> str:
    person.refresh_from_db()
    return person.language


@pytest.mark.parametrize(
    ("languages", "cookie", "language"),
    [
        ("", "", "en"),
        ("de-AT, en;q=0.5", "", "de"),
        ("pt-PT", "", "pt-br"),
        ("ja, hi;q=0.9", "", "hi"),
        ("ja", "", "en"),
        ("de", "ar", "ar"),
        ("de", "xx", "de"),
        ("de", "../../etc/passwd", "de"),
    ],
)
@pytest.mark.django_db
def test_before_log_in_the_cookie_decides_and_then_the_browser(languages: str, cookie: str, language: str) -> None:
    page = browser_in(languages, cookie).get(LOG_IN)

    assert shown_in(page) == (language, language)
    assert {"Accept-Language", "Cookie"} <= set(page.headers["Vary"].split(", "))


@pytest.mark.django_db
def test_only_a_page_in_arabic_runs_from_right_to_left(settings: Settings) -> None:
    directions = {
        code: '<html lang="ar" dir="rtl">' in browser_in(code).get(LOG_IN).content.decode()
        for code, _name in settings.LANGUAGES
    }

    assert directions == {code: code == "ar" for code in ("en", "es", "pt-br", "fr", "de", "ar", "hi")}


def test_the_language_of_an_account_holds_in_every_browser(alice: User) -> None:
    browser = logged_in(in_german(alice))
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    browser.cookies["language"] = "ar"

    page = browser.get(ACCOUNT)

    assert shown_in(page) == ("de", "de")
    assert "Abmelden" in page.content.decode()


def test_an_account_with_a_language_that_is_no_longer_offered_has_the_browsers(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(language="xx")
    browser = logged_in(alice)
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"

    assert shown_in(browser.get(ACCOUNT)) == ("fr", "fr")


@pytest.mark.parametrize("address", ["/no/such/page", "/damaged", "/unavailable", LOG_IN])
@pytest.mark.parametrize("of_account", [True, False])
def test_an_error_is_in_the_language_of_its_reader(
    alice: User, settings: Settings, address: str, of_account: bool
) -> None:
    settings.ROOT_URLCONF = "tests.accounts.web.test_languages"
    browser = logged_in(in_german(alice)) if of_account else browser_in("de")
    browser.raise_request_exception = False

    answer = browser.delete(address, follow=True)

    assert answer.status_code in (200, 400, 404, 405, 503)
    assert shown_in(answer) == ("de", "de")


def test_a_refusal_before_the_account_is_known_is_in_the_language_of_the_browser(alice: User) -> None:
    browser = browser_in("de")
    long = "x" * 600_000

    answer = browser.post(LOG_IN, {"login": long})

    assert answer.status_code == 413
    assert shown_in(answer) == ("de", "de")


@pytest.mark.parametrize("address", [LOG_IN, "/no/such/page", "/static/no-such-file", "/healthz"])
def test_a_thread_keeps_no_language(alice: User, address: str) -> None:
    browser_in("de").get(address)
    before_log_in = translation.get_language()
    logged_in(in_german(alice)).get(address)

    assert (before_log_in, translation.get_language()) == ("en", "en")


@pytest.mark.django_db
def test_a_language_chosen_before_log_in_is_kept_in_the_browser_for_a_year() -> None:
    browser = browser_in("fr")
    onward = f"{LOG_IN}?next=%2Finbox%2F"

    page = browser.get(onward)
    answer = browser.post(CHOOSE, {"language": "de", "next": onward})

    assert 'name="next" value="/account/login/?next=%2Finbox%2F"' in page.content.decode()
    assert (answer.status_code, answer.headers["Location"]) == (302, onward)
    cookie = browser.cookies["language"]
    attributes = ("max-age", "httponly", "samesite", "path", "domain")
    assert [cookie[name] for name in attributes] == [365 * 24 * 3600, True, "Lax", "/", ""]
    assert shown_in(browser.get(onward)) == ("de", "de")


@pytest.mark.django_db
def test_the_switch_of_a_form_with_errors_keeps_where_it_leads() -> None:
    page = Browser().post(LOG_IN, {"login": "", "password": "", "next": "/inbox/"})

    assert 'name="next" value="/account/login/?next=%2Finbox%2F"' in page.content.decode()


@pytest.mark.parametrize(
    "back", ["", "https://elsewhere.example/", "//elsewhere.example/", "/account/sessions/end-others/", "/nowhere"]
)
def test_a_choice_leads_to_pages_of_ours_only(alice: User, back: str) -> None:
    answer = logged_in(alice).post(CHOOSE, {"language": "de", "next": back})

    assert answer.headers["Location"] == ACCOUNT


def test_a_language_chosen_after_log_in_is_the_accounts_and_that_of_the_next_page(alice: User) -> None:
    browser = logged_in(alice)

    answer = browser.post(CHOOSE, {"language": "de", "next": "/inbox/"})

    assert answer.headers["Location"] == "/inbox/"
    assert shown_in(browser.get("/inbox/")) == ("de", "de")
    assert (chosen(alice), browser.cookies["language"].value) == ("de", "de")


@pytest.mark.parametrize("language", ["", "xx", "EN", "en-us", "de\n"])
def test_what_is_no_language_of_ours_changes_nothing(alice: User, language: str) -> None:
    browser = logged_in(in_german(alice))

    answer = browser.post(CHOOSE, {"language": language})

    assert answer.headers["Location"] == ACCOUNT
    assert (chosen(alice), "language" in browser.cookies) == ("de", False)


def test_my_account_shows_which_language_it_has(alice: User) -> None:
    page = logged_in(in_german(alice)).get(ACCOUNT).content.decode()

    assert re.findall(r'<option value="(\w+)" selected>', page) == ["de"]


@pytest.mark.parametrize(
    ("before", "cookie", "after"),
    [("de", "ar", "de"), ("", "ar", "ar"), ("", "", "fr"), ("xx", "", "fr")],
    ids=["of the account", "of the cookie", "of the browser", "no longer offered"],
)
def test_a_log_in_gives_a_language_only_to_an_account_without_one(
    alice: User, before: str, cookie: str, after: str
) -> None:
    User.objects.filter(pk=alice.pk).update(language=before)

    browser_in("fr", cookie).post(LOG_IN, {"login": alice.email, "password": PASSWORD})

    assert chosen(alice) == after


def test_a_log_in_of_a_browser_that_names_no_language_leaves_it_open(alice: User) -> None:
    Browser().post(LOG_IN, {"login": alice.email, "password": PASSWORD})

    assert chosen(alice) == ""


def test_a_single_language_needs_no_switch(alice: User, settings: Settings) -> None:
    pages = [browser_in("de").get(LOG_IN), logged_in(alice).get(ACCOUNT)]
    settings.LANGUAGES = [("en", "English")]

    alone = [browser_in("de").get(LOG_IN), logged_in(alice).get(ACCOUNT)]

    assert ["language-list" in page.content.decode() for page in (*pages, *alone)] == [True, True, False, False]
    assert [shown_in(page) for page in alone] == [("en", "en")] * 2
    assert 'id="language"' not in alone[1].content.decode()
