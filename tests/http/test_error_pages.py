"""The designed pages of errors, as a browser meets them."""

from html import unescape

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.orm.bulk import BulkBusy
from botpenguin import urls
from tests.cast import logged_in

pytestmark = pytest.mark.matrix


def damaged(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


def busy(request: HttpRequest) -> HttpResponse:
    raise BulkBusy


handler400, handler403, handler404, handler500 = (urls.handler400, urls.handler403, urls.handler404, urls.handler500)
views = (damaged, forbidden, broken, busy)
urlpatterns = [*urls.urlpatterns, *(path(view.__name__, view) for view in views)]


@pytest.fixture
def browser(alice: User, settings: Settings) -> Client:
    settings.ROOT_URLCONF = "tests.http.test_error_pages"
    browser = logged_in(alice)
    browser.raise_request_exception = False
    return browser


@pytest.mark.parametrize(
    ("address", "status", "title"),
    [
        ("/damaged", 400, "That request did not make sense"),
        ("/forbidden", 403, "You can't open this page"),
        ("/nowhere", 404, "There is no page here"),
        ("/broken", 500, "Something broke on our side"),
    ],
)
def test_every_error_has_a_page_that_says_what_happened_and_leads_on(
    browser: Client, address: str, status: int, title: str
) -> None:
    answer = browser.get(address)

    page = unescape(answer.content.decode())
    assert answer.status_code == status
    assert f'<h1 class="page-title">{title}</h1>' in page
    assert '<a class="button button--primary" href="/">Go to your bots</a>' in page
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_page_that_would_wait_for_other_bulk_work_says_so(browser: Client) -> None:
    answer = browser.get("/busy")

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert "Other large changes are under way. Nothing was changed." in answer.content.decode()


def test_a_form_that_has_gone_stale_leads_back_to_its_page(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)

    answer = browser.post("/developers/api-access-token/revoke/", {"generation": 1})

    assert answer.status_code == 403
    assert "This form is out of date" in answer.content.decode()
    assert 'href="/developers/api-access-token/">Back to the page</a>' in answer.content.decode()
    alice.api_token.refresh_from_db()
    assert alice.api_token.generation == 1


def test_an_address_that_takes_no_visits_says_so(browser: Client) -> None:
    answer = browser.get("/developers/api-access-token/revoke/")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "You can't open this page directly" in unescape(answer.content.decode())


@pytest.mark.parametrize(
    ("hours", "answer"),
    [
        (0, ""),
        (-1, ""),
        (1, " We answer within 1 business hour."),
        (48, " We answer within 48 business hours."),
        (1000, " We answer within 1,000 business hours."),
    ],
)
def test_every_error_page_says_whom_to_write_to_and_when_they_answer(
    browser: Client, settings: Settings, hours: int, answer: str
) -> None:
    settings.SUPPORT_EMAIL, settings.SUPPORT_ANSWER_HOURS = "help@example.com", hours

    pages = [browser.get(address).content.decode() for address in ("/damaged", "/nowhere", "/broken")]

    sentence = f'Need help? Write to <a href="mailto:help@example.com" dir="ltr">help@example.com</a>.{answer}\n'
    assert [sentence in page for page in pages] == [True] * 3


def test_no_error_page_offers_help_where_no_address_is_set(browser: Client, settings: Settings) -> None:
    settings.SUPPORT_EMAIL, settings.SUPPORT_ANSWER_HOURS = "", 48

    page = browser.get("/nowhere").content.decode()

    assert "mailto:" not in page
    assert "business hour" not in page
