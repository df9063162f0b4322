"""Whatever a client sends, the WSGI application answers with the envelope, and never fails or hangs."""

import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform.api import reference
from botpenguin.platform.models import Bot, Contact, Segment
from botpenguin.wsgi import Application
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import token_text
from tests.platform.calls import NOBODY
from tests.platform.fuzzing import Fuzzer, Known
from tests.wsgi_client import serve

pytestmark = pytest.mark.matrix

# Of one request that is answered within milliseconds.
SECONDS_UNTIL_HANGING = 60
KEYS = {"success", "message", "data", "code"}
# What they answer is for other programs: no envelope is around it.
PLAIN = ("/api/v7/openapi.json", "/api/v7/docs")
# Each runs with and without proxies.
A_THOUSAND, A_HUNDRED_THOUSAND = 500, 50_000
Answer = tuple[int, dict[str, str], bytes]


class HangError(BaseException):
    """Not caught by a handler of every exception."""


@pytest.fixture(params=[[], ["127.0.0.1", "::1"]], ids=["no proxy", "proxies"])
def application(request: pytest.FixtureRequest, settings: Settings) -> Application:
    settings.TRUSTED_PROXIES = request.param
    settings.API_RATE_LIMIT = settings.API_REFUSED_LIMIT = 0
    return Application()


@pytest.fixture
def known(alice: User, asha: Contact) -> Known:
    # Its host is never called: private addresses are refused.
    api = OutboundApi.objects.make(alice, "Orders", Recipe("GET", "https://127.0.0.1:1/{{name}}"))
    ids = {"bot_id": str(asha.bot_id), "contact_id": asha.pk, "api_id": api.pk}
    calls = [operation.call("/api/v7", ids) for group in reference.groups().values() for operation in group]
    others = [*Bot.objects.values_list("pk", flat=True), *Segment.objects.values_list("pk", flat=True)]
    return Known(calls, [*ids.values(), *others, NOBODY], token_text(alice))


@pytest.fixture
def in_time() -> Iterator[Callable[[], object]]:
    """Give the next request its time."""

    def give_up(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, give_up)
    yield partial(signal.setitimer, signal.ITIMER_REAL, SECONDS_UNTIL_HANGING)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def faults_of(environ: dict[str, Any], answer: Answer) -> list[str]:
    """Return what is wrong with the answer to a request."""
    status, headers, body = answer
    method, path = environ["REQUEST_METHOD"].upper(), environ["PATH_INFO"]
    length = headers.get("Content-Length")
    faults = [] if status < HTTPStatus.INTERNAL_SERVER_ERROR else [f"status {status}"]
    if method == "HEAD" or status == HTTPStatus.NO_CONTENT:
        faults += ["a body"] if body else []
        return faults + (["a length"] if status == HTTPStatus.NO_CONTENT and length else [])
    faults += [] if length == str(len(body)) else [f"length {length}, not {len(body)}"]
    if path in PLAIN and status == HTTPStatus.OK:
        return faults
    envelope = json.loads(body)
    is_error = status >= HTTPStatus.BAD_REQUEST
    wrong = envelope.keys() != (KEYS | {"error"} if is_error else KEYS) or envelope["code"] != status
    wrong = wrong or envelope["success"] == is_error
    return faults + (["another envelope"] if wrong else [])


def answer_to(application: Application, environ: dict[str, Any]) -> Answer:
    line, headers, body = serve(application, environ)
    return int(line[:3]), dict(headers), body


def fuzz(
    application: Application, known: Known, count: int, in_time: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    seed = random.randrange(2**32) if os.environ.get("HYPOTHESIS_PROFILE") == "random" else 20261201  # noqa: S311
    for number in range(count):
        environ = Fuzzer(known, seed, number).environ()
        savepoint = transaction.savepoint()
        depth = len(connection.savepoint_ids)
        in_time()
        try:
            faults = faults_of(environ, answer_to(application, environ.copy()))
        except BaseException as error:
            error.add_note(f"seed {seed}, number {number}: {environ}")
            raise
        assert faults == [], f"seed {seed}, number {number}: {environ}"
        assert (len(connection.savepoint_ids), connection.needs_rollback) == (depth, False), f"{seed}, {number}"
        # The next request finds the token and its objects again.
        transaction.savepoint_rollback(savepoint)
        caplog.clear()


def test_a_thousand_requests_are_answered(
    application: Application, known: Known, in_time: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    fuzz(application, known, A_THOUSAND, in_time, caplog)


@pytest.mark.release
def test_a_hundred_thousand_requests_are_answered(
    application: Application, known: Known, in_time: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    # Another database only stores what has passed the same code.
    count = A_HUNDRED_THOUSAND if connection.vendor == "sqlite" else A_HUNDRED_THOUSAND // 10

    fuzz(application, known, count, in_time, caplog)
