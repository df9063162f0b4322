"""PostgreSQL or Redis is killed or refuses writes: clients get an error at once, and all works again soon."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from tests import postgresql
from tests.cast import PASSWORD
from tests.postgresql import PostgreSQL
from tests.redis import RedisServer, redis
from tests.resilience.conftest import Serve
from tests.resilience.load import Hammer, Person, Program, make_people
from tests.server import Server, poll
from tests.test_shared_limits import log_in, report

pytestmark = [pytest.mark.resilience, pytest.mark.release, pytest.mark.xdist_group("outages")]

LEAST_ROTATIONS = 5
# Each response comes within this time, in seconds.
SECONDS = 60
SECONDS_TO_RECOVER = 60
TIMES_CLOSED = 5


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgreSQL]:
    with postgresql.server() as running:
        yield running


@pytest.fixture(scope="module")
def cache() -> Iterator[RedisServer]:
    with redis() as running:
        yield running


@pytest.fixture(scope="module")
def node(serve: Serve, cluster: PostgreSQL, cache: RedisServer) -> Server:
    server = serve(WORKERS="2", DATABASE_URL=cluster.url, CACHE_URL=cache.url, TRUSTED_PROXIES="127.0.0.1")
    make_people(server, 3)
    return server


def ask(person: Person, token: str) -> list[httpx.Response]:
    """Return the statuses of a page to a logged-in person, and of the API to a good token."""
    call = person.client.get("/api/v7/token", headers={"Authorization": f"Bearer {token}"})
    return [person.page(), call]


def assert_asked_to_retry(page: httpx.Response, call: httpx.Response) -> None:
    assert [(answer.status_code, answer.headers.get("Retry-After")) for answer in (page, call)] == [(503, "5")] * 2
    assert "<h1" in page.text
    assert "We cannot do this right now" in page.text
    shown = call.json()
    assert shown == {
        "success": False,
        "message": shown["message"],
        "data": [shown["message"]],
        "code": 503,
        "error": "unavailable",
    }
    assert max(answer.elapsed.total_seconds() for answer in (page, call)) < SECONDS


def is_back(node: Server, token: str) -> bool:
    """Return whether both processes serve again: a new connection comes to either of them."""
    return all(Program(node.port).send(token).status == 200 for _ in range(16))


def close_all(cluster: PostgreSQL) -> None:
    with psycopg.connect(cluster.url, autocommit=True) as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def wait_for_calls(hammer: Hammer) -> None:
    """Wait for so many calls that all threads of both processes have had a connection."""
    before = hammer.count(200)
    poll(lambda: hammer.count(200) >= before + 500)


class Rotations:
    """A person who revokes again and again, until a response is wrong."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.tokens = [person.copy()]
        # Tokens whose revoke was answered.
        self.revoked: list[str] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._rotate)
        thread.start()
        yield
        thread.join()

    def _rotate(self) -> None:
        while (page := self.person.page()).status_code == 200:
            if self.person.revoke(page).status_code != 200:
                return
            self.revoked.append(self.tokens[-1])
            try:
                self.tokens.append(self.person.copy())
            except AssertionError:
                return  # the page or the response reports the outage


def test_a_killed_postgresql_is_reported_as_503_and_forgets_no_answered_revoke(
    node: Server, cluster: PostgreSQL
) -> None:
    rotations = Rotations(Person(node.url, 0))
    witness = Person(node.url, 1)
    others = witness.copy()
    programs = [Program(node.port) for _ in range(4)]

    with Hammer(programs, lambda chance: rotations.tokens[-1]).running() as hammer:
        with rotations.running():
            poll(lambda: len(rotations.revoked) >= LEAST_ROTATIONS)
            cluster.kill()
        during = ask(witness, others)
        poll(lambda: hammer.count(503) >= 20)
        cluster.start()
        poll(lambda: is_back(node, others), SECONDS_TO_RECOVER)
    current = rotations.person.copy()

    assert_asked_to_retry(*during)
    # A client with the token before the last got 401; no connection was dropped, and nothing broke.
    assert hammer.statuses <= {200, 401, 503}
    assert max(call.ended_at - call.began_at for call in hammer.calls) < SECONDS
    assert {Program(node.port).send(token).status for token in rotations.revoked} == {401}
    assert Program(node.port).send(current).status == 200
    assert len(rotations.revoked) >= LEAST_ROTATIONS


def test_no_check_of_a_token_fails_where_its_connection_is_closed(node: Server, cluster: PostgreSQL) -> None:
    token = Person(node.url, 1).copy()
    programs = [Program(node.port) for _ in range(16)]

    with Hammer(programs, lambda chance: token).running() as hammer:
        for _ in range(TIMES_CLOSED):
            wait_for_calls(hammer)
            close_all(cluster)
    cluster.stop()
    cluster.start()
    after = [Program(node.port).send(token).status for _ in range(32)]

    assert hammer.statuses == {200}
    assert set(after) == {200}


@contextmanager
def read_only(cluster: PostgreSQL) -> Iterator[None]:
    """Have the server refuse all writes, as a standby does."""
    set_read_only(cluster, "on")
    try:
        yield
    finally:
        set_read_only(cluster, "off")


def set_read_only(cluster: PostgreSQL, value: str) -> None:
    with psycopg.connect(cluster.url, autocommit=True, options="-c default_transaction_read_only=off") as connection:
        connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}".encode())
        connection.execute("SELECT pg_reload_conf()")
        # A process that serves again has notified the others, which obey before their next statement.
        poll(lambda: new_connection_says(cluster) == value)


def new_connection_says(cluster: PostgreSQL) -> str:
    with psycopg.connect(cluster.url) as connection:
        row = connection.execute("SHOW default_transaction_read_only").fetchone()
    assert row
    return str(row[0])


def test_a_read_only_postgresql_serves_all_that_is_read_and_half_writes_nothing(
    node: Server, cluster: PostgreSQL
) -> None:
    person = Person(node.url, 1)
    token = person.copy()

    page = person.page()
    with read_only(cluster):
        refused = [person.revoke(page), person.press("copy", page)]
        reading = ask(person, token)
    after = person.revoke(page)

    assert [(answer.status_code, answer.headers.get("Retry-After")) for answer in refused] == [(503, "5")] * 2
    assert [answer.status_code for answer in reading] == [200, 200]
    assert after.json()["verdict"] == "replaced"
    assert Program(node.port).send(token).status == 401


def test_processes_that_count_in_redis_refuse_an_attacker_together_and_let_the_owner_in(
    node: Server, cache: RedisServer
) -> None:
    guessed = [log_in(node, "198.51.100.7", "person2@example.com", "guessed wrong") for _ in range(10)]
    owner = log_in(node, "203.0.113.9", "person2@example.com", PASSWORD)

    assert guessed == [200] * 5 + [429] * 5
    assert owner == 302
    assert [name for name in cache.names() if "password_attempts_by_address" in name]


def test_without_redis_attempts_stay_bounded_and_all_else_continues(node: Server, cache: RedisServer) -> None:
    person = Person(node.url, 1)
    token = person.copy()

    cache.kill()
    try:
        began_at = time.monotonic()
        tries = [log_in(node, "198.51.100.8", "person1@example.com", word) for word in ("guessed wrong", PASSWORD)]
        reports = report(node, "198.51.100.8")
        took = time.monotonic() - began_at
        page, call = ask(person, token)
        revoke = person.revoke(page)
    finally:
        cache.start()

    assert tries == [503, 503]
    assert (reports.status_code, reports.headers["Retry-After"], reports.json()["code"]) == (503, "5", 503)
    assert took < SECONDS
    assert (page.status_code, call.status_code, revoke.json()["verdict"]) == (200, 200, "replaced")
    assert log_in(node, "198.51.100.8", "person1@example.com", PASSWORD) == 302
