"""What a supervisor asks, through the WSGI application that is served."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from botpenguin.http import drain, health
from botpenguin.http.drain import Drain
from botpenguin.wsgi import application


def test_the_served_application_answers() -> None:
    answer = application.get_response(RequestFactory().get("/healthz"))

    assert isinstance(answer, HttpResponse)
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_it_is_ready_while_the_database_answers(client: Client) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert answer.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


@pytest.mark.django_db
def test_it_is_not_ready_while_the_database_does_not_answer(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    def fail(execute: Any, sql: str, *arguments: Any) -> None:
        raise OperationalError("gone")

    with connection.execute_wrapper(fail):
        answer = client.get("/readyz")

    assert (answer.status_code, answer.content) == (503, b"the database does not answer\n")
    assert "The database does not answer: gone" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.django_db
def test_health_asks_the_database_nothing(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_a_node_that_is_about_to_stop_is_not_ready_and_still_healthy(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving = Drain()
    monkeypatch.setattr(health, "drain", leaving)
    leaving.announce()

    answers = [client.get("/readyz"), client.get("/healthz")]
    leaving.withdraw()

    assert [(answer.status_code, answer.content) for answer in answers] == [(503, b"stopping\n"), (200, b"ok\n")]


def test_whether_a_node_is_about_to_stop_is_not_looked_up_for_each_request(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "SECONDS_BETWEEN_CHECKS", 10)
    settings.STATE_DIR = tmp_path
    node = Drain()

    answers = [node.is_announced()]
    node.announce()
    answers.append(node.is_announced())

    assert answers == [False, False]
    assert Drain().is_announced()


def test_a_node_about_to_stop_lets_go_of_connections_and_only_one_that_ever_says_so_looks(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving = Drain()
    monkeypatch.setattr(drain, "drain", leaving)
    monkeypatch.setattr(drain, "SECONDS_BETWEEN_CHECKS", -1)
    settings.STATE_DIR, settings.DRAIN_SECONDS = tmp_path, 5
    answer = drain.close_connections(lambda request: HttpResponse())
    request = RequestFactory().get("/")

    before = answer(request)
    leaving.announce()
    after = answer(request)

    assert (before.get("Connection"), after.get("Connection")) == (None, "close")
    settings.DRAIN_SECONDS = 0
    with pytest.raises(MiddlewareNotUsed):
        drain.close_connections(lambda request: HttpResponse())
