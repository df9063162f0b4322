"""A real server of two processes that logs JSON and counts for Prometheus: what it says is true, and no secret."""

import json
import os
import re
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from botpenguin.observability.prometheus_server import MOST_CONNECTIONS
from developers import tokens
from tests.leaks import find
from tests.server import Server, ask, free_port, poll
from tests.visitor import Visitor

pytestmark = [pytest.mark.matrix, pytest.mark.server, pytest.mark.xdist_group("observed")]

PAGE = "/developers/api-access-token/"
PASSWORD = "three otters read the tide"
# At the first two Python's parser of headers raises; the others are charsets to it, and no encodings of text.
UNREADABLE = [
    "application/json; a*=nonsense''%41",
    "application/json; a*=x; a*1=y",
    "application/json; charset*=utf-8''%00",
    "application/json; charset=hex",
    "application/json; charset=idna",
]


class Observed(Server):
    """With a port of metrics, and with its log as a list of lines."""

    def __init__(self, folder: Path) -> None:
        self.metrics_port = free_port()
        super().__init__(folder, LOG_FORMAT="json", METRICS_PORT=str(self.metrics_port), WORKERS="2", MAIL_WORKER="off")

    @property
    def sentences(self) -> list[str]:
        """What it has said before the first line that is JSON."""
        return self.output.partition("\n{")[0].splitlines()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All that comes after."""
        return [json.loads(line) for line in self.output.splitlines()[len(self.sentences) :]]

    def lines_of(self, request_id: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["request_id"] == request_id]

    def scrape(self) -> Counter[str]:
        """Every sample, by its name and labels as they are written."""
        page = ask(f"http://127.0.0.1:{self.metrics_port}/metrics")
        page.raise_for_status()
        return Counter(
            {
                " ".join([sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))]): int(
                    sample.value
                )
                for family in text_string_to_metric_families(page.text)
                for sample in family.samples
                if not sample.name.endswith(("_bucket", "_sum"))
            }
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    with Observed(tmp_path_factory.mktemp("observed")) as running:
        yield running
        assert running.stop(signal.SIGINT) == 0, "other servers of the tests are ended by SIGTERM"


@pytest.fixture
def owner(server: Observed) -> Iterator[Visitor]:
    with server.client() as client:
        visitor = Visitor(client)
        assert visitor.log_in(*server.first_account).status_code == 302
        yield visitor


@pytest.fixture
def token(owner: Visitor) -> str:
    return shown(owner)


def shown(owner: Visitor) -> str:
    [token] = set(tokens.PATTERN.findall(owner.post(f"{PAGE}show/", {}, page=PAGE, discloses=True).text))
    return str(token)


def bearing(token: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} | headers


def test_its_sentences_stay_sentences_and_all_the_rest_is_json(server: Observed, owner: Visitor) -> None:
    owner.get("/account/")

    assert server.sentences[-4].startswith("The first account: ")
    assert server.sentences[-1] == "Press Ctrl-C to stop."
    assert {"time", "level", "logger", "process", "request_id", "message"} <= set.intersection(*map(set, server.lines))


def test_no_line_holds_a_secret(server: Observed, owner: Visitor, token: str) -> None:
    session, form = owner.client.cookies["sessionid"], owner.client.cookies["csrftoken"]
    query = "an-address-that-nobody-may-know"
    key = "aaaaaa-0123456789abcdef0123456789abcdef"
    owner.get(f"/inbox/?search={query}&apiKey={token}")
    owner.get(f"/nowhere/{token}/{query}")
    owner.get(f"/account/password/reset/key/{key}/")
    owner.client.get("/api/v7/token", headers=bearing(token, **{"X-Request-ID": token, "User-Agent": token}))
    owner.get(f"/api/v7/{token}?access_token={token}")
    owner.client.post("/account/login/", data={"login": query, "password": PASSWORD})
    with server.without("platform_bot"):
        broken = owner.client.get(f"/api/v7/bots?{query}", headers=bearing(token))
        broken_page = owner.client.get(f"/bots/?{query}")
    _, password = server.first_account

    log = "\n".join(server.output.splitlines()[len(server.sentences) :])

    held = {"token": token, "session": session, "form": form, "password": password, "wrong password": PASSWORD}
    assert (broken.status_code, broken_page.status_code) == (500, 500)
    assert find([log], held | {"query": query, "key": key, "bearer": f"Bearer {token}"}) == []
    of_each_engine = re.compile('no such table: platform_bot|relation "platform_bot" does not exist')
    shown = Counter(line["level"] for line in server.lines if of_each_engine.search(line.get("traceback", "")))
    assert shown == {"ERROR": 2}


def test_each_request_is_one_line_with_its_id(server: Observed, token: str) -> None:
    addresses = {
        "api": ("/api/v7/token", "/api/v7/token"),
        "page": ("/account/login/", "/account/login/"),
        "none": ("/nowhere", "-"),
    }
    asked = {f"{name}-{number}": name for number in range(20) for name in addresses}

    def call(request_id: str) -> str:
        headers = bearing(token, **{"X-Request-ID": request_id})
        address, _ = addresses[asked[request_id]]
        answered: str = ask(server.url + address, headers=headers).headers["X-Request-ID"]
        return answered

    with ThreadPoolExecutor(8) as threads:
        answered = list(threads.map(call, asked))

    shown = {request_id: server.lines_of(request_id) for request_id in asked}
    assert answered == list(asked)
    assert {request_id: [line["route"] for line in lines] for request_id, lines in shown.items()} == {
        request_id: [addresses[name][1]] for request_id, name in asked.items()
    }
    assert {line["process"] for [line] in shown.values()} == set(server.workers)


def test_a_warning_carries_the_id_of_its_request(server: Observed) -> None:
    answer = ask(server.url, headers={"Host": "evil.example", "X-Request-ID": "evil-1"})

    warning, request = server.lines_of("evil-1")
    assert answer.headers["X-Request-ID"] == "evil-1"
    assert (warning["level"], warning["logger"]) == ("WARNING", "django.security.DisallowedHost")
    assert (request["route"], request["status"]) == ("-", 400)


@pytest.mark.parametrize("content_type", UNREADABLE)
def test_no_content_type_keeps_a_request_from_its_answer_and_its_line(server: Observed, content_type: str) -> None:
    request_id = f"type-{UNREADABLE.index(content_type)}"
    headers = {"Content-Type": content_type, "X-Request-ID": request_id}

    answers = [
        ask(f"{server.url}{address}?a=%41", headers=headers) for address in ("/api/v7/token", "/nowhere", "/healthz")
    ]

    shown = [(answer.status_code, answer.headers["X-Request-ID"]) for answer in answers]
    assert shown == [(401, request_id), (404, request_id), (200, request_id)]
    assert answers[0].json()["code"] == 401
    assert [line["status"] for line in server.lines_of(request_id)] == [401, 404]


def test_health_is_counted_and_not_logged(server: Observed) -> None:
    before = server.scrape()

    for _ in range(5):
        ask(f"{server.url}/readyz", headers={"X-Request-ID": "health-1"})

    assert server.lines_of("health-1") == []
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
        # Until it serves too, all calls go to the one that has lived on.
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


def test_the_mail_worker_writes_json_too(server: Observed, owner: Visitor) -> None:
    owner.post("/account/password/reset/", {"email": server.first_account[0]})

    worked = server.manage("mail_worker", "--once", EMAIL_URL=f"smtp://127.0.0.1:{free_port()}")

    lines = [json.loads(line) for line in worked.stderr.splitlines()]
    assert (worked.returncode, worked.stdout) == (0, "")
    assert {(line["logger"], line["level"], line["request_id"]) for line in lines} == {("post_office", "ERROR", "-")}
    assert "ConnectionRefusedError: [Errno 111]" in lines[0]["traceback"]
    assert not re.search(r"/account/password/reset/key/[0-9a-z]", worked.stderr)


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


# What somebody sends who wants no metrics: nothing, half of a request, or one whose answer they do not read.
HALF_OPEN = [b"", b"GET /met", b"GET /metrics HTTP/1.1\r\n", b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "]
UNREAD = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def connect(server: Observed, sent: bytes) -> socket.socket:
    connection = socket.socket()
    # Less than an answer.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.metrics_port))
    connection.sendall(sent)
    return connection


def scraped(server: Observed) -> Counter[str] | None:
    """Ask once: a busy machine may not make room for it in time, and a scraper comes again."""
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
