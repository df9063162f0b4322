"""Work after a response neither delays nor fails it."""

import logging

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from accounts.web.responses import after_response, work_afterwards

pytestmark = pytest.mark.matrix


def test_work_begins_once_the_response_is_closed_and_its_errors_are_logged(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        after_response(request, lambda: int("no number"))
        after_response(request, lambda: done.append("second"))
        return HttpResponse()

    with caplog.at_level(logging.ERROR):
        response = work_afterwards(view)(RequestFactory().get("/"))
        before = list(done)
        response.close()

    assert (before, done) == ([], ["second"])
    assert [record.message for record in caplog.records] == ["Work after a response failed."]


def test_without_a_request_work_is_done_at_once() -> None:
    done: list[str] = []

    after_response(None, lambda: done.append("now"))

    assert done == ["now"]
