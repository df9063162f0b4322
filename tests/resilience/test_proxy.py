"""Behind the nginx of `deploy/`: slow, large and frequent requests, and two nodes that restart one by one."""

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.nginx import HOST, Nginx
from tests.resilience.behind_nginx import (
    ATTACKER,
    SLOW_CLIENTS,
    VISITOR,
    SlowClients,
    exchange,
    program,
    start_nodes,
    visitor,
)
from tests.resilience.conftest import Serve
from tests.resilience.load import Call, Hammer, unknown
from tests.server import Server, free_port, poll

pytestmark = [pytest.mark.resilience, pytest.mark.server, pytest.mark.release, pytest.mark.xdist_group("proxy")]

# Seconds: far more than any response takes, and far less than a starved client would wait.
PROMPTLY = 25


@pytest.fixture(scope="module")
def nodes(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> list[Server]:
    return start_nodes(serve, tmp_path_factory.mktemp("nodes"))


@pytest.fixture(scope="module")
def nginx(nodes: list[Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("nginx"), *[node.port for node in nodes]) as running:
        yield running


@pytest.fixture(scope="module")
def token(nginx: Nginx) -> str:
    return visitor(nginx).copy()


def lines_of(request_id: str, nodes: list[Server]) -> list[str]:
    """Return the log lines of a request, on all nodes. They are written after the response."""
    return poll(lambda: [line for node in nodes for line in node.output.splitlines() if f"[{request_id}]" in line])


def test_what_clients_say_of_where_they_come_from_counts_for_nothing(
    nginx: Nginx, nodes: list[Server], token: str
) -> None:
    head = f"GET /api/v7/token HTTP/1.1\nHost: {HOST}\nAuthorization: Bearer {token}\nConnection: close"

    answer = exchange(nginx, f"{head}\nX-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: http\nForwarded: for=192.0.2.1")

    [line] = lines_of(answer.headers["X-Request-ID"], nodes)
    assert answer.status == 200
    assert f" to {VISITOR}, user " in line


def test_a_request_has_one_id_in_both_logs_and_in_the_answer(nginx: Nginx, nodes: list[Server]) -> None:
    key = "a-key-that-nobody-may-know"
    head = f"Host: {HOST}\nConnection: close\nX-Request-ID: of-the-client"

    served = exchange(nginx, f"GET /account/confirm-email/{key}/?{key} HTTP/1.1\n{head}")
    refused = exchange(nginx, f"POST /api/v7/inbox/users?{key} HTTP/1.1\n{head}\nContent-Length: 1073741824")

    ids = [answer.headers.get_all("X-Request-ID") for answer in (served, refused)]
    [[of_served], [of_refused]] = [found or [] for found in ids]
    log = nginx.folder / "access.log"
    poll(lambda: of_served in log.read_text() and of_refused in log.read_text())
    lines = {line["request_id"]: line for line in map(json.loads, log.read_text().splitlines())}
    shown = lines_of(of_served, nodes)
    assert (lines[of_served]["status"], lines[of_served]["method"], lines[of_refused]["status"]) == (200, "GET", 413)
    assert len(shown) == 1
    assert "GET /account/confirm-email/{key}/ 200" in shown[0]
    assert key not in log.read_text()


def test_bodies_in_chunks_and_head_arrive_behind_nginx(nginx: Nginx, nodes: list[Server], token: str) -> None:
    head = f"Host: {HOST}\nAuthorization: Bearer {token}\nContent-Type: application/json\nConnection: close"
    chunks = '8\n{"page":\n3\n x}\n0'

    read = exchange(nginx, f"POST /api/v7/inbox/users HTTP/1.1\n{head}\nTransfer-Encoding: chunked\n\n{chunks}")
    without_body = exchange(nginx, f"HEAD /api/v7/token HTTP/1.1\n{head}")

    # It is not the empty body, which would be fine, but what stands in it that is refused.
    assert (read.status, json.loads(read.body)["data"]) == (400, ["The body is not JSON: see line 1, column 10."])
    assert (without_body.status, without_body.body) == (200, b"")
    assert int(without_body.headers["Content-Length"]) > 50


@pytest.mark.parametrize(
    ("status", "line", "header"),
    [
        (400, "GET / HTTP/1.1", "Content-Length: many"),
        (404, "GET /metrics HTTP/1.1", "A: 1"),
        (413, "POST /account/login/ HTTP/1.1", "Content-Length: 1048577"),
        (414, f"GET /{'a' * 10_000} HTTP/1.1", "A: 1"),
    ],
)
def test_what_nginx_answers_by_itself_has_an_id_too(nginx: Nginx, status: int, line: str, header: str) -> None:
    answer = exchange(nginx, f"{line}\nHost: {HOST}\nConnection: close\n{header}")

    [request_id] = answer.headers.get_all("X-Request-ID") or []
    assert answer.status == status
    poll(lambda: f'"request_id": "{request_id}"' in (nginx.folder / "access.log").read_text())


def test_metrics_are_for_nobody_outside(nginx: Nginx) -> None:
    answers = [
        exchange(nginx, f"GET {path} HTTP/1.1\nHost: {HOST}\nConnection: close") for path in ("/metrics", "/metrics/x")
    ]

    # nginx answers by itself: a node's page for 404 has other words.
    assert [(answer.status, b"<center>nginx</center>" in answer.body) for answer in answers] == [(404, True)] * 2


def test_a_host_that_is_not_ours_gets_no_answer(nginx: Nginx) -> None:
    plain = socket.create_connection(("127.0.0.1", nginx.http), timeout=30)
    with plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")

        assert plain.recv(100) == b""


def test_plain_http_leads_pages_to_https_and_refuses_the_api(nginx: Nginx) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{nginx.http}", headers={"Host": HOST}, trust_env=False) as client:
        page = client.get("/bots/?a=1")
        call = client.get("/api/v7/token")

    assert (page.status_code, page.headers["Location"]) == (308, f"https://{HOST}/bots/?a=1")
    assert len(page.headers.get_list("X-Request-ID")) == 1
    assert (call.status_code, call.json()["code"], call.json()["success"]) == (403, 403, False)


@pytest.mark.parametrize("length", ["Content-Length: 1073741824", "Content-Length: 1048577"])
def test_a_body_that_is_too_large_is_refused_before_any_of_it_is_sent(nginx: Nginx, length: str) -> None:
    began_at = time.monotonic()
    of_the_api = exchange(nginx, f"POST /api/v7/inbox/users HTTP/1.1\nHost: {HOST}\n{length}")
    of_a_page = exchange(nginx, f"POST /account/login/ HTTP/1.1\nHost: {HOST}\n{length}")

    assert (of_the_api.status, of_a_page.status) == (413, 413)
    assert json.loads(of_the_api.body)["code"] == 413
    assert b"<h1>" in of_a_page.body
    assert time.monotonic() - began_at < PROMPTLY


def test_slow_clients_hold_up_nobody(nginx: Nginx, token: str) -> None:
    slow = SlowClients(nginx)
    with slow.trickling():
        poll(lambda: slow.open)
        calls = [program(nginx).send(token) for _ in range(20)]
        page_began_at = time.monotonic()
        page = visitor(nginx).page()
        page_took = time.monotonic() - page_began_at
        seen = len(slow.open)
        poll(lambda: len(slow.open) > seen)

    # nginx closes all unfinished heads at the same time, and the clients begin again.
    assert (min(slow.open) >= SLOW_CLIENTS // 2, max(slow.open)) == (True, SLOW_CLIENTS)
    assert {call.status for call in calls} == {200}
    assert max(call.ended_at - call.began_at for call in calls) < PROMPTLY
    assert page.status_code == 200
    assert page_took < PROMPTLY


def test_clients_that_try_tokens_are_stopped_and_others_are_served(
    nodes: list[Server], token: str, nginx: Nginx
) -> None:
    """The limits of nodes and of nginx apply: few of the tokens are looked up."""
    attackers = [program(nginx, ATTACKER) for _ in range(4)]
    with Hammer(attackers, lambda chance: unknown()).running() as hammer:
        poll(lambda: hammer.count(429) >= 500)
        calls = [program(nginx).send(token) for _ in range(10)]
        began_at = time.monotonic()
        page = visitor(nginx).page()
        took = time.monotonic() - began_at

    # Twenty a minute for each of the two processes.
    assert 20 <= hammer.count(401) <= 2 * 2 * 20
    assert hammer.statuses == {401, 429}
    assert {call.status for call in calls} == {200}
    assert page.status_code == 200
    assert took < PROMPTLY


def test_two_nodes_are_restarted_one_by_one_and_no_request_fails(nodes: list[Server], nginx: Nginx, token: str) -> None:
    def walk(address: str, calls: list[Call], is_over: threading.Event) -> None:
        mine = program(nginx, address)
        number = 0
        while not is_over.wait(0.05):
            number += 1
            method, path = [("GET", "/api/v7/token"), ("GET", "/healthz"), ("POST", "/api/v7/inbox/users")][number % 3]
            calls.append(mine.send(token, method, path))

    calls: list[Call] = []
    is_over = threading.Event()
    walkers = [threading.Thread(target=walk, args=(f"127.0.0.{10 + number}", calls, is_over)) for number in range(4)]
    for walker in walkers:
        walker.start()
    try:
        for node in nodes:
            before = len(calls)
            assert node.stop(signal.SIGTERM) == 0
            node.start()
            node.wait_until_ready()
            poll(lambda: len(calls) > before + 40)  # noqa: B023
    finally:
        is_over.set()
        for walker in walkers:
            walker.join()

    assert len(calls) >= 80
    assert sorted({call.status for call in calls} - {200, 400, 415, 422}) == []


def test_without_any_node_the_answer_is_designed_and_says_when_to_come_back(tmp_path: Path) -> None:
    with Nginx(tmp_path, free_port(), free_port()) as lonely:
        call = exchange(lonely, f"GET /api/v7/token HTTP/1.1\nHost: {HOST}\nConnection: close")
        page = exchange(lonely, f"GET / HTTP/1.1\nHost: {HOST}\nConnection: close")

    shown = json.loads(call.body)
    assert (call.status, call.headers["Retry-After"], call.headers["Content-Type"]) == (503, "5", "application/json")
    assert shown == {
        "success": False,
        "message": shown["message"],
        "data": [shown["message"]],
        "code": 503,
        "error": "not_confirmed",
    }
    assert (page.status, page.headers["Retry-After"]) == (503, "5")
    assert b"<h1>Back in a moment</h1>" in page.body
