"""The log has one line a request, the same id in all lines of a request, and no secret."""

import json
import logging
import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from logging.config import DictConfigurator
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from django.urls import path
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin import urls
from botpenguin.observability import log_config, request_ids
from developers import tokens
from tests.cast import PASSWORD, logged_in, token_text
from tests.test_project import routes

pytestmark = pytest.mark.matrix

HEX = r"[0-9a-f]{32}"


def broken(request: HttpRequest, word: str) -> HttpResponse:
    raise ZeroDivisionError(f"{word} and a line end\n\u2028 and {tokens.generate().open()}")


def logging_view(request: HttpRequest, word: str) -> HttpResponse:
    logging.getLogger("logging_view").warning("heard %s", word)
    return HttpResponse(word)


handler400, handler403, handler404, handler500 = (urls.handler400, urls.handler403, urls.handler404, urls.handler500)
urlpatterns = [
    path("account/open/broken/<str:word>", broken),
    path("account/open/logging_view/<slug:word>", logging_view),
    *urls.urlpatterns,
]


class Log:
    """The JSON lines that the project writes to standard error."""

    def __init__(self) -> None:
        self.stream = StringIO()
        self.handler = logging.StreamHandler(self.stream)
        configurator = DictConfigurator(log_config.configuration("json"))
        self.handler.setFormatter(configurator.configure_formatter(configurator.config["formatters"]["line"]))
        for name in ("request_id", "without_secrets"):
            self.handler.addFilter(configurator.configure_filter(configurator.config["filters"][name]))

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["logger"] == "botpenguin.requests"]


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    logging.getLogger().addHandler(log.handler)
    yield log
    logging.getLogger().removeHandler(log.handler)


@pytest.fixture
def browser(settings: Settings) -> Browser:
    settings.ROOT_URLCONF = "tests.observability.test_request_log"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != "accounts.middleware.LoginRequired"]
    return Browser(raise_request_exception=False)


@pytest.mark.parametrize("offered", ["a", "Call.7_of-9", "x" * 64])
def test_an_id_that_keeps_to_the_pattern_is_taken(offered: str) -> None:
    assert request_ids.choose(offered) == offered


@pytest.mark.parametrize(
    "offered",
    [
        None,
        "",
        "x" * 65,
        "two words",
        "a\n",
        "a\r\nSet-Cookie: b",
        '{"a":1}',
        "<b>",
        "ä",
        "٣",
    ],
)
def test_any_other_is_replaced_by_a_fresh_one(offered: str | None) -> None:
    first, second = request_ids.choose(offered), request_ids.choose(offered)

    assert len({first, second, offered}) == 3
    assert all(len(bytes.fromhex(fresh)) == 16 for fresh in (first, second))


def test_a_token_or_a_part_of_one_is_never_an_id() -> None:
    token = tokens.generate().open()

    assert [text for text in (token, f"a-{token[:20]}", token[:6]) if request_ids.choose(text) == text] == []


@pytest.mark.parametrize("address", ["/healthz", "/account/login/", "/api/v7/token", "/nowhere", "/static/nothing"])
@pytest.mark.django_db
def test_every_response_has_the_id(address: str) -> None:
    taken = Browser().get(address, headers={"X-Request-ID": "call-1"})
    fresh = Browser().get(address)

    assert taken.headers["X-Request-ID"] == "call-1"
    assert len(fresh.headers["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    ("method", "address", "shown"),
    [
        ("GET", "/account/login/?next=/bots/", ("GET", "/account/login/", 200)),
        ("GET", "/", ("GET", "/", 302)),
        ("GET", "/static/css/nothing.css", ("GET", "/static/{path}", 404)),
        ("GET", "/nowhere/at-all", ("GET", "-", 404)),
        ("GET", "/api/v7/bots/0123456789abcdef01234567", ("GET", "/api/v7/bots/{bot_id}", 401)),
        ("GET", "/api/v7/nowhere", ("GET", "-", 404)),
        ("PUT", "/api/v7/inbox/direct/asha@example.com", ("PUT", "/api/v7/{absent}", 401)),
        ("GET", "/account/confirm-email/secret-key/", ("GET", "/account/confirm-email/{key}/", 200)),
        ("PATCH", "/healthz", ("PATCH", "/healthz", 405)),
        ("BREW", "/account/login/", ("other", "/account/login/", 405)),
    ],
)
@pytest.mark.django_db
def test_a_line_has_the_route_and_never_the_url(
    log: Log, method: str, address: str, shown: tuple[str, str, int]
) -> None:
    Browser().generic(method, address, headers={"X-Request-ID": "call-1"}, REMOTE_ADDR="203.0.113.9")

    [line] = log.requests
    assert (line["method"], line["route"], line["status"]) == shown
    assert (line["request_id"], line["client"], line["user"]) == ("call-1", "203.0.113.9", "-")
    assert line["message"].startswith("{} {} {} in ".format(*shown))
    assert 0 <= line["milliseconds"] < 30_000
    assert (line["level"], line["time"][-1]) == ("INFO", "Z")


@pytest.mark.django_db
def test_whatever_a_client_sends_a_line_is_short(log: Log) -> None:
    longest = max(routes(), key=len)
    address = re.sub(r"<[^>]+>", "x" * 5000, longest)

    for asked in (longest, address):
        Browser().generic(
            "B" * 5000,
            f"{asked}?{'q' * 5000}",
            headers={"X-Request-ID": "x" * 64, "User-Agent": "u" * 5000},
            REMOTE_ADDR="2001:db8:1111:2222:3333:4444:5555:6666",
        )

    assert len(log.requests) == 2
    assert max(map(len, log.stream.getvalue().splitlines())) < 600


def test_a_line_names_the_user_of_its_request(log: Log, alice: User, bob: User) -> None:
    logged_in(alice).get("/account/")
    Browser().get("/api/v7/token", headers={"Authorization": f"Bearer {token_text(bob)}"})
    Browser().get("/account/login/")

    assert [line["user"] for line in log.requests] == [alice.pk, bob.pk, "-"]


def test_lines_of_logging_in_and_out_name_the_user(log: Log, alice: User) -> None:
    browser = Browser()

    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    browser.post("/account/logout/")

    assert [(line["route"], line["user"]) for line in log.requests] == [
        ("/account/login/", alice.pk),
        ("/account/logout/", alice.pk),
    ]


@pytest.mark.django_db
def test_health_is_logged_where_it_is_bad_only(log: Log) -> None:
    Browser().get("/healthz")
    Browser().get("/readyz")
    Browser().post("/readyz")
    # This process measures nothing.
    Browser().get("/readyz/writes")

    shown = [(line["route"], line["status"]) for line in log.requests]
    assert shown == [("/readyz", 405), ("/readyz/writes", 503)]


def test_a_traceback_is_one_line_of_json_with_the_id_of_its_request(log: Log, browser: Browser) -> None:
    answer = browser.get("/account/open/broken/word", headers={"X-Request-ID": "call-1"})

    error, request = log.lines
    assert 'Error 500, request <bdi dir="ltr">call-1</bdi>' in answer.content.decode()
    assert (error["level"], error["logger"], error["request_id"]) == ("ERROR", "django.request", "call-1")
    assert error["traceback"].startswith("Traceback (most recent call last):\n")
    assert "ZeroDivisionError: word and a line end\n\u2028 and bpat_••••" in error["traceback"]
    assert set(error) == {"time", "level", "logger", "process", "request_id", "message", "traceback"}
    assert (request["route"], request["status"], request["request_id"]) == (
        "/account/open/broken/{word}",
        500,
        "call-1",
    )


def test_a_stack_that_is_asked_for_is_logged(log: Log) -> None:
    logging.getLogger("anything").warning("Look", stack_info=True)

    [line] = log.lines
    assert line["stack"].startswith("Stack (most recent call last):\n")
    assert line["request_id"] == "-"


def test_what_libraries_add_to_a_record_is_not_logged(log: Log) -> None:
    request = HttpRequest()
    request.path = request.path_info = "/secret"

    logging.getLogger("anything").warning("Look", extra={"request": request, "password": "hunter2 hunter2"})

    [line] = log.lines
    assert set(line) == {"time", "level", "logger", "process", "request_id", "message"}


def test_concurrent_requests_keep_their_ids(log: Log, browser: Browser) -> None:
    words = [secrets.token_hex(8) for _ in range(40)]

    def ask(word: str) -> str:
        answer = Browser().get(f"/account/open/logging_view/{word}", headers={"X-Request-ID": f"id-{word}"})
        return answer.headers["X-Request-ID"]

    with ThreadPoolExecutor(8) as threads:
        answered = list(threads.map(ask, words))

    heard = {line["message"]: line["request_id"] for line in log.lines if line["logger"] == "logging_view"}
    assert answered == [f"id-{word}" for word in words]
    assert heard == {f"heard {word}": f"id-{word}" for word in words}
    assert sorted(line["request_id"] for line in log.requests) == sorted(answered)
    assert request_ids.current.get() == ""


def test_a_format_that_there_is_not_is_refused_with_a_sentence() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^LOG_FORMAT is neither text nor json\. Choose one of them\.$"):
        log_config.configuration("xml")


def test_the_text_format_has_the_same_fields(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    configurator = DictConfigurator(settings.LOGGING)
    caplog.handler.setFormatter(configurator.configure_formatter(configurator.config["formatters"]["line"]))
    caplog.handler.addFilter(request_ids.WithRequestId())

    logged_in(alice).get("/account/?page=2", headers={"X-Request-ID": "call-1"}, REMOTE_ADDR="203.0.113.9")

    [line] = caplog.text.splitlines()
    assert "[call-1] INFO botpenguin.requests: GET /account/ 200 in " in line
    assert line.endswith(f" ms to 203.0.113.9, user {alice.pk}")


def test_a_level_above_info_silences_the_lines_of_requests(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "botpenguin.requests")

    assert Browser().get("/account/login/").status_code == 200
    assert [record for record in caplog.records if record.name == "botpenguin.requests"] == []
