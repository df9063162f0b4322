"""Bodies that an answer did not wait for."""

from io import BytesIO
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from botpenguin import bodies


class Cable(BytesIO):
    """A body that ends in a broken connection."""

    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError


def refuse(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=401)


def answer(length: int, **environ: Any) -> HttpResponse:
    request = RequestFactory().generic("POST", "/", CONTENT_LENGTH=str(length), **environ)
    return bodies.finish_bodies(refuse)(request)


def test_a_body_is_read_to_its_end_after_a_refusal() -> None:
    body = BytesIO(bytes(bodies.MOST - 1) + b"the next request")

    response = answer(bodies.MOST - 1, **{"wsgi.input": body})

    assert "Connection" not in response
    assert body.read() == b"the next request"


def test_more_than_is_worth_reading_ends_the_connection_and_the_answer_says_so() -> None:
    body = BytesIO(bytes(2 * bodies.MOST))

    response = answer(2 * bodies.MOST, **{"wsgi.input": body})

    assert response["Connection"] == "close"
    assert body.tell() <= bodies.MOST + bodies.CHUNK


def test_a_connection_that_breaks_meanwhile_does_no_harm() -> None:
    response = answer(10, **{"wsgi.input": Cable()})

    assert response.status_code == 401
    assert response["Connection"] == "close"


@pytest.mark.parametrize("path", ["/", "/account/login/", "/nowhere/"])
@pytest.mark.django_db
def test_forms_that_were_read_are_answered_as_ever(client: Any, path: str) -> None:
    response = client.post(path, {"login": "alice@example.com", "password": "x" * 1000})

    assert "Connection" not in response
