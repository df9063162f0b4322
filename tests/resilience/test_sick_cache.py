"""Redis refuses or answers nonsense: on a real server only requests that are counted fail."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from itertools import count
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from redis import Redis

from developers import tokens
from tests.accounts.throttling.test_sick_redis import ANSWERS, CANNOT_NOW, CHALLENGE, LOG_IN, REFUSALS, REPORTS, run
from tests.redis import RedisServer
from tests.resilience.conftest import Serve
from tests.resilience.load import TOKEN_PAGE, csrf_token
from tests.server import Server, poll

# Without a server, tests/accounts/throttling/test_sick_redis.py shows the same in every run.
pytestmark = [pytest.mark.resilience, pytest.mark.server, pytest.mark.release, pytest.mark.xdist_group("sick cache")]

SECONDS_TO_RECOVER = 60
RESET, REQUEST_RESET = "/account/password/reset/", {"email": "nobody@example.com"}
GARBLED = ANSWERS | {
    "WRONGTYPE": b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    "another answer": b"+QUEUED\r\n",
    "a list without an end": b"*3\r\n$1\r\na\r\n",
    "a map of RESP3": b"%1\r\n+a\r\n:1\r\n",
}


class Unsaved(RedisServer):
    """A Redis that cannot save snapshots."""

    options = [*RedisServer.options, "--dir", "/proc"]


class Answering(ThreadingTCPServer):
    """A server in place of Redis that gives each message the same response, or closes the connection."""

    allow_reuse_address = daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, answer: bytes) -> None:
        self.answer = answer
        self.connections: list[socket.socket] = []
        super().__init__(("127.0.0.1", port), Handler)


class Handler(BaseRequestHandler):
    server: Answering

    def handle(self) -> None:
        self.server.connections.append(self.request)
        with suppress(OSError):
            while self.server.answer and self.request.recv(65536):
                self.request.sendall(self.server.answer)


@pytest.fixture(scope="module")
def cache() -> Iterator[RedisServer]:
    server = Unsaved()
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def server(serve: Serve, cache: RedisServer) -> Server:
    return serve(WORKERS="1", CACHE_URL=cache.url, TRUSTED_PROXIES="127.0.0.1")


@pytest.fixture(scope="module")
def owner(server: Server) -> Iterator["Owner"]:
    with server.client() as client:
        yield Owner(server, client)


class Owner:
    """A person with a token, who sends each request that uses the cache, in a new browser and from a new address."""

    def __init__(self, server: Server, client: httpx.Client) -> None:
        self.client, self.numbers = client, count(1)
        self.email, self.password = server.first_account
        self.form = {"csrfmiddlewaretoken": csrf_token(client.get(LOG_IN))}
        self.cookies = dict(client.cookies)
        assert self.log_in().status_code == httpx.codes.FOUND
        page = client.get(TOKEN_PAGE)
        shown = client.post(f"{TOKEN_PAGE}show/", data={"csrfmiddlewaretoken": csrf_token(page)})
        self.token = tokens.PATTERN.findall(shown.text)[0]

    def send(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        self.client.cookies = self.cookies
        return self.client.post(path, data=self.form | form, headers=headers)

    def log_in(self, **headers: str) -> httpx.Response:
        return self.send(LOG_IN, {"login": self.email, "password": self.password}, **headers)

    def ask(self) -> list[httpx.Response]:
        self.client.headers["X-Forwarded-For"] = f"198.51.100.{next(self.numbers)}"
        return [
            self.log_in(),
            self.log_in(**{"HX-Request": "true"}),
            self.send(RESET, REQUEST_RESET),
            self.client.get(CHALLENGE, headers={"Accept": "application/json"}),
            self.client.post(REPORTS, json={"tokens": ["none"]}),
        ]

    def call(self) -> int:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.get("/api/v7/token", headers=headers).status_code


def is_well(owner: Owner) -> bool:
    return [answer.status_code for answer in owner.ask()] == [302, 302, 302, 200, 200]


def assert_outage(server: Server, owner: Owner, sick: AbstractContextManager[None]) -> None:
    said = len(server.output)

    with sick:
        calls = [owner.call()]
        answers = owner.ask()
        calls.append(owner.call())

    *pages, report = answers
    assert [(answer.status_code, answer.headers.get("Retry-After")) for answer in answers] == [(503, "5")] * 5
    assert [CANNOT_NOW in page.text for page in pages] == [True] * 4
    assert report.json()["code"] == 503
    assert calls == [200, 200]
    assert poll(lambda: is_well(owner), SECONDS_TO_RECOVER)
    shown = server.output[said:]
    assert "Traceback" not in shown
    # On a slow machine one request may fail in another way than the others.
    assert shown.count("since the cache cannot serve") <= 2


@contextmanager
def refusing(cache: RedisServer, begin: list[str], end: list[str]) -> Iterator[None]:
    with Redis.from_url(cache.url) as client:
        run(client, *begin)
        try:
            yield
        finally:
            run(client, *end)


@contextmanager
def unable_to_save(cache: RedisServer) -> Iterator[None]:
    with Redis.from_url(cache.url) as client:
        client.config_set("save", "3600 1")
        client.bgsave()
        poll(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        try:
            yield
        finally:
            client.config_set("save", "")


@contextmanager
def replaced(cache: RedisServer, answer: bytes) -> Iterator[None]:
    cache.kill()
    try:
        with Answering(cache.port, answer) as stand_in:
            thread = Thread(target=partial(stand_in.serve_forever, 0.01))
            thread.start()
            try:
                yield
            finally:
                stand_in.shutdown()
                thread.join()
                for connection in stand_in.connections:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
    finally:
        cache.start()


def test_a_redis_that_cannot_save_is_an_outage(server: Server, owner: Owner, cache: RedisServer) -> None:
    assert_outage(server, owner, unable_to_save(cache))


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_redis_that_refuses_is_an_outage(server: Server, owner: Owner, cache: RedisServer, refusal: str) -> None:
    assert_outage(server, owner, refusing(cache, *REFUSALS[refusal]))


@pytest.mark.parametrize("name", GARBLED)
def test_a_redis_that_answers_nonsense_is_an_outage(
    server: Server, owner: Owner, cache: RedisServer, name: str
) -> None:
    assert_outage(server, owner, replaced(cache, GARBLED[name]))


@pytest.mark.parametrize(
    "put",
    [lambda client, key: client.rpush(key, "x"), lambda client, key: client.set(key, b"\xff\x00", px=60_000)],
    ids=["lists", "no text"],
)
def test_counts_that_are_something_else_are_none_and_everybody_gets_in(
    server: Server, owner: Owner, cache: RedisServer, put: Callable[[Any, str], object]
) -> None:
    owner.ask()
    with Redis.from_url(cache.url) as client:
        names = cache.names()
        client.flushdb()
        for name in names:
            put(client, name)
    # From the same address, whose counts these are.
    owner.numbers = count(next(owner.numbers) - 1)

    assert names
    assert is_well(owner)
    assert "Traceback" not in server.output
