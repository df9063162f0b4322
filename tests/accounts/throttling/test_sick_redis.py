"""A Redis that refuses, answers nonsense or does not answer is an outage: 503, one line in the log, no traceback."""

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings
from redis import Redis

from accounts.models import User
from accounts.throttling import redis as cache_in_redis
from accounts.throttling.counters import Limit
from botpenguin.database import outages
from tests.accounts.samples import sample
from tests.cast import PASSWORD, logged_in
from tests.redis import Pool, RedisServer, in_redis
from tests.server import free_port

pytestmark = pytest.mark.matrix

LOG_IN, CHALLENGE, REPORTS = "/account/login/", "/account/login/passkey/", "/api/v7/token/report-exposed"
CALL = {"method": "GET", "url": "http://10.0.0.1/"}
CANNOT_NOW = "We cannot do this right now"
# Commands that make Redis refuse, as after a failover or with a full disk, and commands that undo them.
REFUSALS: dict[str, tuple[list[str], list[str]]] = {
    "NOREPLICAS": (["CONFIG SET min-replicas-to-write 1"], ["CONFIG SET min-replicas-to-write 0"]),
    "NOPERM": (["ACL SETUSER default -set -watch"], ["ACL SETUSER default +@all"]),
    "no keys": (["ACL SETUSER default resetkeys"], ["ACL SETUSER default allkeys"]),
    "OOM": (["CONFIG SET maxmemory 1"], ["CONFIG SET maxmemory 0"]),
    "READONLY": ([f"REPLICAOF 127.0.0.1 {free_port()}"], ["REPLICAOF NO ONE"]),
    "MASTERDOWN": (
        ["CONFIG SET replica-serve-stale-data no", f"REPLICAOF 127.0.0.1 {free_port()}"],
        ["REPLICAOF NO ONE", "CONFIG SET replica-serve-stale-data yes"],
    ),
}
# Open connections are not refused so.
REFUSED_CONNECTIONS: dict[str, tuple[list[str], list[str]]] = {
    "NOAUTH": (["ACL SETUSER default >secret"], ["ACL SETUSER default nopass"]),
    "a disabled user": (["ACL SETUSER default >secret off"], ["ACL SETUSER default nopass on"]),
    "too many clients": (["CONFIG SET maxclients 1"], ["CONFIG SET maxclients 10000"]),
}
# Responses of a server that is not ready, not Redis, or broken.
ANSWERS = {
    "MISCONF": b"-MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.\r\n",
    "LOADING": b"-LOADING Redis is loading the dataset in memory\r\n",
    "CLUSTERDOWN": b"-CLUSTERDOWN The cluster is down\r\n",
    "MOVED": b"-MOVED 3999 127.0.0.1:6381\r\n",
    "NOAUTH": b"-NOAUTH Authentication required.\r\n",
    "WRONGPASS": b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
    "too many clients": b"-ERR max number of clients reached\r\n",
    "protected mode": b"-DENIED Redis is running in protected mode.\r\n",
    "BUSY": b"-BUSY Redis is busy running a script.\r\n",
    "TRYAGAIN": b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
    "no Redis": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "no number": b":seven\r\n",
    "no length": b"$seven\r\n",
    "an empty line": b"\r\n",
    "bytes": b"\xff\xfe\x00\r\n",
    "nothing": b"",
}


@pytest.fixture
def refusing(request: pytest.FixtureRequest, in_redis_server: Redis) -> Iterator[None]:
    begin, end = (REFUSALS | REFUSED_CONNECTIONS)[request.param]
    run(in_redis_server, *begin)
    try:
        yield
    finally:
        run(in_redis_server, *end)


def run(client: Redis, *commands: str) -> None:
    for command in commands:
        client.execute_command(command)  # type: ignore[no-untyped-call]


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Answer each message of a client so, or close the connection; yield the address."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client:
                    # Redis sends it unasked, and closes the connection.
                    if answer.startswith(b"-DENIED"):
                        client.sendall(answer)
                        continue
                    while answer and client.recv(65536):
                        client.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        Pool.close_all()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def reason_of(line: logging.LogRecord) -> str:
    return line.getMessage().partition("cannot serve: ")[2].rpartition(outages.IN_A_TRANSACTION)[2]


def ask(caplog: pytest.LogCaptureFixture) -> None:
    """Make every kind of request that uses the cache: each is refused, and the outage is logged once."""
    visitor, owner = Browser(raise_request_exception=False), logged_in(User.objects.get())
    owner.raise_request_exception = False
    form = {"login": "alice@example.com", "password": PASSWORD}

    pages = [
        visitor.post(LOG_IN, form),
        visitor.post(LOG_IN, form, headers={"HX-Request": "true"}),
        visitor.get(CHALLENGE, headers={"Accept": "application/json"}),
        visitor.post("/account/password/reset/", {"email": "alice@example.com"}),
        visitor.post("/account/signup/", {"email": "carol@example.com", "password1": PASSWORD}),
        visitor.post("/account/confirm-email/again/", {"email": "carol@example.com"}),
        owner.post("/developers/third-party-apps-api/new/test/", CALL),
        owner.post("/developers/third-party-apps-api/cancel/", {"test_id": "0" * 32}),
    ]
    report = visitor.post(REPORTS, {"tokens": ["none"]}, content_type="application/json")

    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in [*pages, report]] == [(503, "5")] * 9
    assert [CANNOT_NOW in page.content.decode() for page in pages] == [True] * 8
    assert report.json()["code"] == 503
    lines = [record for record in caplog.records if record.levelname != "INFO"]
    assert [line.exc_info for line in lines if line.exc_info] == []
    assert lines[0].getMessage().startswith("POST 'account/login/' was answered 503")
    # Where reading and writing are refused for different reasons, each is logged once.
    assert len({reason_of(line) for line in lines}) == len(lines)


@pytest.mark.usefixtures("alice", "refusing")
@pytest.mark.parametrize("refusing", REFUSALS | REFUSED_CONNECTIONS, indirect=True)
def test_a_redis_that_refuses_is_an_outage(caplog: pytest.LogCaptureFixture) -> None:
    ask(caplog)


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("name", sample(ANSWERS, {"MISCONF", "NOAUTH", "no Redis", "no number", "nothing"}))
def test_a_redis_that_answers_nonsense_is_an_outage(
    settings: Settings, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with answering(ANSWERS[name]) as url:
        settings.CACHES = in_redis(url)
        ask(caplog)


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize(
    "url",
    [
        "redis://panel:secret@127.0.0.1:{}/0",
        "redis://127.0.0.1:{}/99",
        "rediss://127.0.0.1:{}/0",
        "redis://127.0.0.1:{}/0?protocol=4",
        "redis://127.0.0.1:1/{}",
    ],
)
def test_a_redis_that_takes_no_connection_is_an_outage(
    settings: Settings, caplog: pytest.LogCaptureFixture, redis_server: RedisServer, url: str
) -> None:
    settings.CACHES = in_redis(url.format(redis_server.port))

    ask(caplog)
    Pool.close_all()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda client, key: client.set(key, "no number", px=1000),
        lambda client, key: client.set(key, "\udcff".encode(errors="surrogateescape"), px=1000),
        lambda client, key: client.set(key, 3),
        lambda client, key: client.rpush(key, "a", "list"),
        lambda client, key: client.sadd(key, "a set"),
        lambda client, key: client.hset(key, "a", "hash"),
        lambda client, key: client.xadd(key, {"a": "stream"}),
    ],
)
def test_a_count_in_redis_that_nobody_wrote_is_none(
    in_redis_server: Redis, redis_server: RedisServer, spoil: Callable[[Redis, str], object]
) -> None:
    limit = Limit("password_attempt:somebody", 3, 60)
    limit.take()
    [key] = redis_server.names()
    in_redis_server.delete(key)
    spoil(in_redis_server, key)

    was_free, counted = limit.is_free(), [limit.take() is not None for _ in range(4)]

    assert (was_free, counted) == (True, [True] * 3 + [False])


@pytest.mark.usefixtures("in_redis_server")
def test_a_limit_that_redis_does_not_let_us_read_is_not_free(in_redis_server: Redis) -> None:
    run(in_redis_server, "ACL SETUSER default -get")
    try:
        with pytest.raises(Exception, match="no permissions") as raised:
            Limit("password_attempt:somebody", 3, 60).is_free()
    finally:
        run(in_redis_server, "ACL SETUSER default +@all")

    assert outages.is_outage(raised.value)


def test_a_value_that_cannot_be_sent_is_no_outage(in_redis_server: Redis, redis_server: RedisServer) -> None:
    client = cache_in_redis.GuardedRedis.from_url(redis_server.url)

    with pytest.raises(Exception, match="Invalid input") as raised:
        client.set("key", object())  # type: ignore[arg-type]

    assert not outages.is_outage(raised.value)
    client.close()
