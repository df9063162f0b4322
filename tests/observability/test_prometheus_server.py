"""The server of metrics answers scrapes while many idle connections are open."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from pytest_django.fixtures import Settings

from botpenguin.observability import prometheus_server
from botpenguin.observability.prometheus_server import MOST_CONNECTIONS, Server
from tests.server import ask, free_port, poll

HALF_OPEN = 100
MAY_WAIT = threading.Event()


def page(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    MAY_WAIT.wait()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x" * int(environ["QUERY_STRING"] or 1)]


@contextmanager
def serving(host: str) -> Iterator[Server]:
    server = prometheus_server.serve(host, free_port(), page)
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Server]:
    with serving("127.0.0.1") as server:
        yield server


@pytest.fixture
def server() -> Iterator[Server]:
    """A server for one test: coverage does not trace threads that were started before an untraced test."""
    with serving("127.0.0.1") as server:
        yield server


@pytest.fixture(autouse=True)
def nobody_waits() -> Iterator[None]:
    MAY_WAIT.set()
    yield
    MAY_WAIT.set()
    poll(lambda: not threads())


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def connect(server: Server, sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.server_port), timeout=60)
    connection.sendall(sent)
    return connection


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]


# Where dozens of threads begin at once, installing the tracer can fail in one of them (CPython 3.11).
@pytest.mark.no_cover
@pytest.mark.parametrize(
    "sent", [b"", b"G", b"GET /metrics HTTP/1.1\r\n", b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n"]
)
def test_half_open_connections_take_few_threads_and_keep_nobody_out(
    server: Server, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    # Threads start slowly on a busy machine.
    monkeypatch.setattr(prometheus_server, "SECONDS_FOR_A_CONNECTION", 60.0)
    monkeypatch.setattr(prometheus_server, "SECONDS_FOR_A_PLACE", 60.0)
    with ExitStack() as stack:
        for _ in range(HALF_OPEN):
            stack.enter_context(connect(server, sent))
        answer = ask(f"{url(server)}/metrics")
        taken = len(threads())

    assert answer.status_code == 200
    assert taken <= MOST_CONNECTIONS


def test_a_connection_is_ended_once_its_time_is_over(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_server, "SECONDS_FOR_A_CONNECTION", 0.0)

    with connect(server, b"GET /met") as silent:
        received = silent.recv(1)

    assert received == b""
    assert poll(lambda: not threads())


def test_a_client_that_does_not_read_is_let_go_without_a_word(
    server: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prometheus_server, "SECONDS_FOR_A_CONNECTION", 0.0)

    with connect(server, b"GET /metrics?100000000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"):
        gone = poll(lambda: not threads())

    assert gone
    assert capfd.readouterr().err == ""


def test_while_all_are_at_work_one_more_is_closed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_server, "SECONDS_FOR_A_PLACE", 0.0)
    MAY_WAIT.clear()

    with ExitStack() as stack:
        for _ in range(MOST_CONNECTIONS):
            stack.enter_context(connect(server, b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
        poll(lambda: len(threads()) == MOST_CONNECTIONS)
        with connect(server, b"") as one_more:
            received = one_more.recv(1)
        at_work = len(threads())

    assert (received, at_work) == (b"", MOST_CONNECTIONS)


@pytest.mark.parametrize(
    ("line", "host", "status"),
    [
        ("GET /metrics", "127.0.0.1:9101", 200),
        ("GET /metrics", "10.1.2.3:9101", 200),
        ("GET /metrics", "[::1]:9101", 200),
        ("GET /metrics", "localhost", 200),
        ("GET /metrics", "node-1.internal:9101", 200),
        ("GET /metrics", "app.example.com", 200),
        ("GET /metrics", "evil.example:9101", 421),
        ("GET /metrics", "127.0.0.1.evil.example", 421),
        ("GET /metrics", "app.example.com.evil.example", 421),
        ("GET /metrics", "no host", 421),
        ("GET /metrics", "", 421),
        ("GET /", "127.0.0.1", 404),
        ("GET /metrics/", "127.0.0.1", 404),
        ("GET /favicon.ico", "127.0.0.1", 404),
        ("GET /metrics/../", "127.0.0.1", 404),
        ("POST /metrics", "127.0.0.1", 405),
        ("HEAD /metrics", "127.0.0.1", 405),
        ("OPTIONS /metrics", "127.0.0.1", 405),
        ("BREW /metrics", "127.0.0.1", 405),
        ("POST /", "evil.example", 421),
    ],
)
def test_it_has_one_page_for_whoever_asks_this_machine(
    shared_server: Server, settings: Settings, line: str, host: str, status: int
) -> None:
    settings.METRICS_HOST, settings.ALLOWED_HOSTS = "node-1.internal", ["app.example.com"]
    method, path = line.split()

    answer = ask(url(shared_server) + path, method, headers={"Host": host})

    assert answer.status_code == status
    assert answer.headers.get("Allow") == ("GET" if status == httpx.codes.METHOD_NOT_ALLOWED else None)


def test_it_listens_on_ipv6_too() -> None:
    with serving("::1") as server:
        answer = ask(f"http://[::1]:{server.server_port}/metrics")

    assert (answer.status_code, answer.text) == (200, "x")
