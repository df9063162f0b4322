"""The metrics of a server of two processes: their values, and who may read them."""

import os
import re
import signal
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from botpenguin.observability.prometheus_server import MOST_CONNECTIONS
from developers import tokens
from tests.observability.observed import PAGE, Observed, bearing
from tests.server import ask, poll
from tests.visitor import Visitor

pytestmark = [pytest.mark.matrix, pytest.mark.server, pytest.mark.xdist_group("observed")]


def test_health_is_counted_and_not_logged(server: Observed) -> None:
    before = server.scrape()

    for _ in range(5):
        ask(f"{server.url}/readyz", headers={"X-Request-ID": "health-1"})

    assert server.lines_of("health-1", 0) == []
    assert (server.scrape() - before)["botpenguin_http_requests_total method=GET route=/readyz status=200"] == 5


def test_metrics_add_up_what_both_processes_have_counted(server: Observed, owner: Visitor, token: str) -> None:
    unknown = tokens.generate().open()
    before = server.scrape()

    def call(bearer: str) -> int:
        return ask(f"{server.url}/api/v7/token", headers=bearing(bearer)).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = Counter(threads.map(call, [token] * 40 + ["no token"] * 3 + [unknown] * 2))
    owner.post(f"{PAGE}revoke/", {"generation": generation(owner), "even_if_used": "on"}, page=PAGE)
    assert call(token) == 401

    shown = server.scrape() - before
    assert statuses == {200: 40, 401: 5}
    assert {name: value for name, value in shown.items() if "bearer" in name or "revocations" in name} == {
        "botpenguin_bearer_checks_total outcome=ok": 40,
        "botpenguin_bearer_checks_total outcome=malformed": 3,
        "botpenguin_bearer_checks_total outcome=unknown": 2,
        "botpenguin_bearer_checks_total outcome=revoked": 1,
        "botpenguin_token_revocations_total reason=owner": 1,
    }
    assert {name: value for name, value in shown.items() if "/api/v7/token" in name} == {
        "botpenguin_http_requests_total method=GET route=/api/v7/token status=200": 40,
        "botpenguin_http_requests_total method=GET route=/api/v7/token status=401": 6,
        "botpenguin_http_request_duration_seconds_count method=GET route=/api/v7/token": 40,
    }


def generation(owner: Visitor) -> str:
    [number] = set(re.findall(r'name="generation" value="(\d+)"', owner.get(PAGE).text))
    return str(number)


def test_what_a_killed_process_has_counted_still_counts(server: Observed, token: str) -> None:
    before, victims = server.scrape(), server.workers

    os.kill(victims[0], signal.SIGKILL)
    poll(lambda: len(server.workers) == 2 and victims[0] not in server.workers)
    name = "botpenguin_bearer_checks_total outcome=ok"
    at_once = server.scrape()
    statuses = []

    def new_process_counts() -> bool:
        # Until it serves, all calls go to the other process.
        answer = ask(f"{server.url}/api/v7/token", headers=bearing(token))
        statuses.append(answer.status_code)
        [line] = server.lines_of(answer.headers["X-Request-ID"])
        return line["process"] not in victims

    poll(new_process_counts)

    assert at_once[name] == before[name]
    assert set(statuses) == {200}
    assert server.scrape()[name] == before[name] + len(statuses)
    [shown] = [line for line in server.lines if line["logger"] == "_granian"]
    assert (shown["level"], shown["message"]) == ("ERROR", "Unexpected exit from worker-1")


def test_queued_mail_is_counted(server: Observed, owner: Visitor) -> None:
    before = server.scrape()

    owner.post("/account/password/reset/", {"email": server.first_account[0]})

    # The mail is written once the response is sent.
    poll(lambda: server.scrape()["botpenguin_mail_queued"] > before["botpenguin_mail_queued"])
    shown = server.scrape()
    assert shown["botpenguin_mail_queued"] == before["botpenguin_mail_queued"] + 1
    assert (shown["botpenguin_mail_failed"], shown["botpenguin_database_up"]) == (0, 1)


def test_a_database_that_fails_is_reported_and_hides_nothing_else(server: Observed) -> None:
    with server.without("post_office_email"):
        shown = server.scrape()

    assert "botpenguin_database_up" in shown
    assert shown["botpenguin_database_up"] == 0
    assert "botpenguin_mail_queued" not in shown
    assert shown["botpenguin_http_requests_total method=GET route=/healthz status=200"] > 0


def test_metrics_are_not_on_the_port_of_the_pages_nor_on_other_addresses(server: Observed) -> None:
    on_pages = ask(f"{server.url}/metrics")

    assert (on_pages.status_code, "botpenguin_" in on_pages.text) == (404, False)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.metrics_port), timeout=5)


def test_labels_are_only_those_that_our_code_knows(server: Observed) -> None:
    words = [f"/{word}/nowhere" for word in ("one", "two", "three")]
    before = set(server.scrape())

    for number, word in enumerate(words):
        ask(server.url + word, f"BREW{number}")
        ask(f"{server.url}/api/v7{word}", f"BREW{number}")

    new = set(server.scrape()) - before
    assert {name.partition(" ")[2] for name in new} <= {"method=other route=- status=404"}


# Nothing, half of a request, and a request whose response is not read.
HALF_OPEN = [b"", b"GET /met", b"GET /metrics HTTP/1.1\r\n", b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "]
UNREAD = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def connect(server: Observed, sent: bytes) -> socket.socket:
    connection = socket.socket()
    # Smaller than a response.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.metrics_port))
    connection.sendall(sent)
    return connection


def scraped(server: Observed) -> Counter[str] | None:
    """Scrape once. It may fail on a busy machine; Prometheus would retry too."""
    with suppress(httpx.TransportError):
        return server.scrape()
    return None


def test_half_open_connections_to_the_metrics_take_few_threads_and_keep_nobody_from_them(server: Observed) -> None:
    before = len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))

    with ExitStack() as stack:
        for sent in [*HALF_OPEN, UNREAD] * 40:
            stack.enter_context(connect(server, sent))
        during = poll(lambda: scraped(server))
        taken = len(list(Path(f"/proc/{server.process.pid}/task").iterdir())) - before

    assert during["botpenguin_database_up"] == server.scrape()["botpenguin_database_up"] == 1
    assert taken <= MOST_CONNECTIONS


@pytest.mark.release
def test_half_open_connections_to_the_metrics_are_ended(server: Observed) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(server, sent)) for sent in HALF_OPEN]
        received = [connection.recv(1) for connection in connections]

    assert received == [b""] * len(HALF_OPEN)
    assert server.scrape()["botpenguin_database_up"] == 1


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/metrics", "evil.example", 421),
        ("/metrics", "127.0.0.1.evil.example", 421),
        ("/", "evil.example", 421),
        ("/", "127.0.0.1", 404),
        ("/metrics/", "127.0.0.1", 404),
        ("/metrics", "localhost", 200),
    ],
)
def test_the_metrics_are_one_page_for_whoever_asks_this_machine(
    server: Observed, path: str, host: str, status: int
) -> None:
    answer = ask(f"http://127.0.0.1:{server.metrics_port}{path}", headers={"Host": host})

    assert (answer.status_code, "botpenguin_database_up" in answer.text) == (status, status == httpx.codes.OK)
