"""Bodies that an answer did not wait for."""

from io import BytesIO
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory

from accounts.models import User
from botpenguin.http import request_bodies
from tests.memory import MIB, peak_of

pytestmark = pytest.mark.matrix

FORM = "application/x-www-form-urlencoded"
KIB = 1024
APIS = "/developers/third-party-apps-api/"


class Cable(BytesIO):
    """A body that ends in a broken connection."""

    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError


def refuse(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=401)


def answer(length: int, **environ: Any) -> HttpResponse:
    request = RequestFactory().generic("POST", "/", CONTENT_LENGTH=str(length), **environ)
    return request_bodies.finish_bodies(refuse)(request)


def test_a_body_is_read_to_its_end_after_a_refusal() -> None:
    body = BytesIO(bytes(request_bodies.MOST - 1) + b"the next request")

    response = answer(request_bodies.MOST - 1, **{"wsgi.input": body})

    assert "Connection" not in response
    assert body.read() == b"the next request"


def test_more_than_is_worth_reading_ends_the_connection_and_the_answer_says_so() -> None:
    body = BytesIO(bytes(2 * request_bodies.MOST))

    response = answer(2 * request_bodies.MOST, **{"wsgi.input": body})

    assert response["Connection"] == "close"
    assert body.tell() <= request_bodies.MOST + request_bodies.CHUNK


def test_a_connection_that_breaks_meanwhile_does_no_harm() -> None:
    response = answer(10, **{"wsgi.input": Cable()})

    assert response.status_code == 401
    assert response["Connection"] == "close"


@pytest.mark.parametrize("path", ["/", "/account/login/", "/nowhere/"])
@pytest.mark.django_db
def test_forms_that_were_read_are_answered_as_ever(client: Any, path: str) -> None:
    response = client.post(path, {"login": "alice@example.com", "password": "x" * 1000})

    assert "Connection" not in response


def form_of(length: int, name: str = "login") -> bytes:
    """A form that a page shows again: quotes become six characters, and a penguin makes each take four bytes."""
    start, end = f"{name}=".encode(), "🐧".encode()
    return start + b"'" * (length - len(start) - len(end)) + end


PUBLIC_FORMS = [
    ("/account/login/", "next"),
    *(pytest.param("/account/login/", name, marks=pytest.mark.release) for name in ("login", "password", "unknown")),
    *(pytest.param("/account/signup/", name, marks=pytest.mark.release) for name in ("email", "password1", "next")),
    pytest.param("/account/password/reset/", "email", marks=pytest.mark.release),
]


@pytest.mark.parametrize(("path", "name"), PUBLIC_FORMS)
@pytest.mark.django_db
def test_a_visitors_long_form_takes_little_memory(path: str, name: str) -> None:
    browser = Browser()

    taken, peak = peak_of(lambda: browser.generic("POST", path, form_of(64 * KIB, name), FORM))
    refused, peak_of_a_refusal = peak_of(lambda: browser.generic("POST", path, form_of(1024 * KIB, name), FORM))

    assert (taken.status_code, refused.status_code) == (200, 413)
    assert max(peak, peak_of_a_refusal) < 16 * MIB


def test_a_form_that_is_too_long_leads_back_to_its_page(alice: User) -> None:
    browser = Browser()
    browser.force_login(alice)

    response = browser.generic("POST", "/inbox/segments/add/", form_of(64 * KIB + 1, "tags"), FORM)

    assert response.status_code == 413
    assert "This form takes 64 KB. Nothing was changed." in response.content.decode()
    assert 'href="/inbox/"' in response.content.decode()


LONG_FORMS = [
    ("import/", "command"),
    *(
        pytest.param("new/", name, marks=pytest.mark.release)
        for name in ("name", "body", "headers-0-value", "sample-x")
    ),
    *(pytest.param(f"new/{act}/", "body", marks=pytest.mark.release) for act in ("rows", "test")),
    pytest.param("contacts/", "body", marks=pytest.mark.release),
]


@pytest.mark.parametrize(("path", "name"), LONG_FORMS)
def test_the_editor_takes_long_forms_within_the_memory_of_a_request(alice: User, path: str, name: str) -> None:
    browser = Browser()
    browser.force_login(alice)
    form = b"add_row=headers&method=POST&" + form_of(500 * KIB, name)

    taken, peak = peak_of(lambda: browser.generic("POST", APIS + path, form, FORM))
    refused = browser.generic("POST", APIS + path, form_of(512 * KIB + 1, name), FORM)

    assert (taken.status_code, refused.status_code) == (200, 413)
    assert peak < 50 * MIB


@pytest.mark.django_db
def test_the_fields_of_a_form_with_files_count_and_its_files_do_not() -> None:
    browser = Browser()

    taken = browser.post("/account/login/", {"login": "alice", "file": BytesIO(bytes(100 * KIB))})
    refused = browser.post("/account/login/", {"login": "x" * 65 * KIB})

    assert (taken.status_code, refused.status_code) == (200, 413)


@pytest.mark.parametrize(
    ("path", "says"), [("/account/login/", True), ("/account/signup/", True), ("/bots/new/", False)]
)
@pytest.mark.django_db
def test_a_form_that_is_too_long_says_how_long_a_password_may_be(client: Any, path: str, says: bool) -> None:
    response = client.post(path, {"login": "alice@example.com", "password": "x" * 400_000})

    assert response.status_code == 413
    assert ("A password has at most 1,024 characters." in response.content.decode()) == says
