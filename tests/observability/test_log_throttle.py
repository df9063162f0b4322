"""Malicious requests write one short line each, and only a few lines a minute."""

import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.test import Client as Browser

from botpenguin.observability.log_throttle import LINES_A_MINUTE, NO_MORE, LogThrottle

pytestmark = [pytest.mark.matrix, pytest.mark.django_db]


@pytest.fixture
def handler() -> Any:
    """The handler of the log, as the settings define it."""
    [handler] = [handler for handler in logging.getLogger().handlers if any(map(is_brief, handler.filters))]
    return handler


@pytest.fixture
def throttle(handler: Any) -> LogThrottle:
    """The filter of the handler, at the start of a minute."""
    [throttle] = filter(is_brief, handler.filters)
    throttle.minute_began = float("-inf")
    return throttle  # type: ignore[no-any-return]


@pytest.fixture
def log(handler: Any, throttle: LogThrottle) -> Iterator[StringIO]:
    stream = StringIO()
    standard_error = handler.setStream(stream)
    yield stream
    handler.setStream(standard_error)


def warnings(log: StringIO) -> list[str]:
    """Return the log without the line of each request."""
    return [line for line in log.getvalue().splitlines() if " INFO botpenguin.requests: " not in line]


def is_brief(candidate: object) -> bool:
    return isinstance(candidate, LogThrottle)


def wrong_host() -> Any:
    return Browser().get("/account/login/", headers={"Host": "evil.example"})


def long_wrong_host() -> Any:
    return Browser().get("/account/login/", headers={"Host": "e" * 5000})


def form_of_many_fields() -> Any:
    return Browser().post("/account/login/", {f"field{number}": "" for number in range(1001)})


def form_without_its_csrf_token() -> Any:
    return Browser(enforce_csrf_checks=True).post("/account/login/", {})


@pytest.mark.parametrize(
    ("action", "status", "shown"),
    [
        (wrong_host, 400, "DisallowedHost: Invalid HTTP_HOST header: 'evil.example'."),
        (long_wrong_host, 400, "DisallowedHost: Invalid HTTP_HOST header: 'eeee"),
        (form_of_many_fields, 400, "TooManyFieldsSent: The number of GET/POST parameters exceeded"),
        (form_without_its_csrf_token, 403, "csrf: Forbidden (CSRF cookie not set.): /account/login/"),
    ],
)
def test_it_is_a_warning_of_one_short_line(log: StringIO, action: Callable[[], Any], status: int, shown: str) -> None:
    response = action()

    [line] = warnings(log)
    assert response.status_code == status
    assert f" WARNING django.security.{shown}" in line
    assert len(line) < 350


def test_a_form_of_two_megabytes_costs_no_more_than_the_line_of_its_request(log: StringIO) -> None:
    response = Browser().post(
        "/account/login/", "x" * 2 * 1024 * 1024, content_type="application/x-www-form-urlencoded"
    )

    assert response.status_code == 413
    assert warnings(log) == []


def test_a_flood_ends_after_a_few_lines_and_says_so(log: StringIO) -> None:
    for _request in range(LINES_A_MINUTE + 5):
        wrong_host()

    lines = warnings(log)
    assert len(lines) == LINES_A_MINUTE
    assert [line.endswith(NO_MORE) for line in lines] == [*[False] * (LINES_A_MINUTE - 1), True]


def test_the_next_minute_has_lines_of_its_own(log: StringIO, throttle: LogThrottle) -> None:
    for _request in range(LINES_A_MINUTE):
        wrong_host()
    throttle.minute_began -= 60

    wrong_host()

    assert len(warnings(log)) == LINES_A_MINUTE + 1


def test_an_error_of_our_own_keeps_its_traceback(log: StringIO) -> None:
    try:
        raise ZeroDivisionError("ours")
    except ZeroDivisionError:
        logging.getLogger("django.request").exception("Internal Server Error: /")

    assert "ERROR django.request: Internal Server Error: /\nTraceback (most recent call last):" in log.getvalue()
