"""A worker, the database, its disk or its locks fail: nothing is lost, and the server recovers by itself."""

import os
import resource
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from accounts.orm.best_effort import BACKOFF_SECONDS
from tests.processes import descendants, is_alive, kill
from tests.resilience.conftest import Serve
from tests.resilience.load import Hammer, Person, Program, make_people, unknown
from tests.resilience.rotators import Rotator
from tests.server import Server, free_port, poll

pytestmark = [pytest.mark.resilience, pytest.mark.xdist_group("node")]

ROTATORS = 6
SECONDS_LOCKED = 3
CALLS = 20
MOST_UNKNOWN = 120
# Seconds: far more than any response takes, and far less than a starved client would wait.
PROMPTLY = 25


@pytest.fixture(scope="module")
def lone(serve: Serve) -> Server:
    """A node whose one process serves every request."""
    server = serve(WORKERS="1", API_REFUSED_LIMIT=str(MOST_UNKNOWN))
    make_people(server, ROTATORS + 1)
    return server


def database(server: Server) -> Path:
    """The file of SQLite. On PostgreSQL only failures of processes run here; test_outages.py has the others."""
    return server.folder / "var" / "db.sqlite3"


def rows(server: Server) -> list[tuple[int, int, int]]:
    """Each person's generation, how many revoked tokens they have, and how many tokens they were issued."""
    return server.rows(
        "SELECT t.generation, (SELECT count(*) FROM developers_revokedtoken r WHERE r.user_id = t.user_id),"
        " (SELECT count(*) FROM accounts_securityevent e WHERE e.user_id = t.user_id AND e.kind = 'token-issued')"
        " FROM developers_apitoken t ORDER BY t.user_id"
    )


def assert_whole(server: Server) -> None:
    """Assert that no rotation is half done: there is a generation for each revoked token and each issue."""
    # Twenty revoked tokens are kept, so up to this generation each is there.
    assert [row for row in rows(server) if row[0] <= 21 and (row[1] != row[0] - 1 or row[2] != row[0])] == []


def statuses(server: Server, token: str) -> int:
    return Program(server.port).send(token).status


def started_at(pid: int) -> int:
    """Return when a process started, in clock ticks since the machine started: process ids are used again."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def oldest_worker(server: Server) -> int:
    """Return no new worker: Granian gives up where one crashes twice within 5.5 seconds."""
    return min(server.workers, key=started_at)


@pytest.mark.release
@pytest.mark.server
def test_a_worker_killed_while_tokens_are_revoked_is_replaced_and_no_rotation_is_lost_or_half_done(
    lone: Server,
) -> None:
    rotators = [Rotator(Person(lone.url, number)) for number in range(ROTATORS)]
    [victim] = lone.workers
    is_over = threading.Event()

    with ThreadPoolExecutor(ROTATORS) as pool:
        rotating = [pool.submit(rotator.rotate, is_over) for rotator in rotators]
        poll(lambda: all(rotator.answered >= 2 for rotator in rotators))
        poll(lambda: sum(rotator.is_revoking for rotator in rotators) >= 2)
        kill(victim)
        poll(lambda: lone.workers not in ([], [victim]))
        seen = sum(rotator.answered for rotator in rotators)
        poll(lambda: sum(rotator.answered for rotator in rotators) >= seen + ROTATORS)
        is_over.set()
        for done in rotating:
            done.result()

    assert sum(rotator.broken_off for rotator in rotators) >= 1
    for rotator in rotators:
        current = rotator.person.copy()
        assert statuses(lone, current) == 200
        assert {statuses(lone, token) for token in {*rotator.tokens} - {current}} == {401}
        # Each answered revoke has made a token.
        assert len({*rotator.tokens}) > rotator.answered
    assert_whole(lone)


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Hold the lock on all writing, as a backup or a long migration does."""
    with closing(sqlite3.connect(database(server), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_a_database_locked_for_three_seconds_loses_nothing(node: Server) -> None:
    person = Person(node.url, 1)
    token = person.copy()
    page = person.page()
    answers: list[httpx.Response] = []

    with locked(node):
        revoking = threading.Thread(target=lambda: answers.append(person.revoke(page)))
        revoking.start()
        began_at = time.monotonic()
        calls = [Program(node.port).send(token) for _ in range(CALLS)]
        took = time.monotonic() - began_at
        reading = person.page()
        revoking.join(SECONDS_LOCKED)
    revoking.join()

    assert {call.status for call in calls} == {200}
    # The use of the token is due to be recorded: one call of each process waits for the lock, and later ones don't try.
    assert node.output.count("The last use of the token of user 3 was not recorded") <= 2 * (
        took // BACKOFF_SECONDS + 1
    )
    assert reading.status_code == 200
    # It waited for the lock, or was refused with Retry-After.
    assert answers[0].status_code in (200, 503)
    assert statuses(node, token) == (401 if answers[0].status_code == 200 else 200)
    assert_whole(node)


@contextmanager
def full(server: Server) -> Iterator[None]:
    """Have the kernel refuse writes of its processes to files, as a full disk does."""
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in server.workers}
    for pid, (_, most) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
    try:
        yield
    finally:
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


def read_only_url(server: Server) -> str:
    """Return a URI of SQLite (https://www.sqlite.org/uri.html), as Django's settings take it."""
    return f"sqlite:///{quote(f'file:{database(server)}?mode=ro', safe='')}"


def forget_when_seen(server: Server) -> None:
    """Make the times of last use due to be recorded again."""
    with closing(sqlite3.connect(database(server))) as connection:
        connection.execute("UPDATE accounts_session SET last_seen_at = '2026-01-01'")
        connection.execute("UPDATE developers_apitoken SET last_used_at = '2026-01-01'")
        connection.commit()


def make_bot(person: Person, token: str) -> httpx.Response:
    bot = {"name": "Reception", "platform": "website"}
    return person.client.post("/api/v7/bots", json=bot, headers={"Authorization": f"Bearer {token}"})


def assert_asked_to_retry(*answers: httpx.Response) -> None:
    assert [(answer.status_code, answer.headers.get("Retry-After")) for answer in answers] == [(503, "5")] * len(
        answers
    )
    assert all("cannot do this right now" in answer.text for answer in answers)


def test_a_full_disk_lets_all_be_read_keeps_what_was_written_and_is_soon_forgotten(node: Server) -> None:
    person = Person(node.url, 3)
    token = person.copy()
    page = person.page()
    forget_when_seen(node)
    before = rows(node)

    with full(node):
        refused = [person.revoke(page), person.press("copy", page), make_bot(person, token)]
        read = [person.page().status_code, person.client.get("/bots/").status_code, statuses(node, token)]
        during = rows(node)
    revoked, made = person.revoke(page), make_bot(person, person.copy())

    assert_asked_to_retry(*refused)
    assert read == [200, 200, 200]
    assert during == before
    assert (revoked.status_code, made.status_code) == (200, 201)
    assert statuses(node, token) == 401
    assert_whole(node)


@pytest.mark.release
def test_a_server_on_a_read_only_database_starts_serves_what_is_read_and_says_what_must_wait(
    node: Server, serve: Serve
) -> None:
    token = Person(node.url, 3).copy()
    person = Person(node.url, 3)
    page = person.page()
    forget_when_seen(node)
    before = rows(node)
    reading = serve(node.folder, WORKERS="1", PORT=str(free_port()), DATABASE_URL=read_only_url(node))
    person.client.base_url = httpx.URL(reading.url)

    refused = [person.revoke(page), person.press("copy", page), make_bot(person, token)]
    read = [person.page().status_code, person.client.get("/bots/").status_code, statuses(reading, token)]

    assert_asked_to_retry(*refused)
    assert read == [200, 200, 200]
    assert rows(node) == before
    assert statuses(node, token) == 200


@pytest.mark.release
def test_killed_processes_leave_a_database_that_a_new_start_finds_whole(lone: Server) -> None:
    person = Person(lone.url, ROTATORS)
    old = person.copy()
    assert person.revoke().status_code == 200
    new = person.copy()

    family = [*descendants(lone.process.pid), lone.process.pid]
    for pid in family:
        kill(pid)
    lone.process.wait()
    # Orphans may still hold the port.
    poll(lambda: not any(is_alive(pid) for pid in family))
    lone.start()
    lone.wait_until_ready()

    assert (statuses(lone, old), statuses(lone, new)) == (401, 200)
    assert_whole(lone)


@pytest.mark.matrix
@pytest.mark.server
def test_programs_are_served_while_the_worker_beside_them_is_killed(node: Server) -> None:
    person = Person(node.url, 2)
    token = person.copy()
    with Hammer([Program(node.port) for _ in range(4)], lambda chance: token).running() as hammer:
        poll(lambda: hammer.count(200) >= 100)
        os.kill(oldest_worker(node), signal.SIGKILL)
        seen = hammer.count(200)
        poll(lambda: hammer.count(200) >= seen + 200)

    # Requests of the killed worker end without a response; no response is wrong.
    assert hammer.statuses <= {0, 200}


@pytest.mark.release
@pytest.mark.server
def test_clients_that_try_tokens_as_fast_as_they_can_are_stopped_by_the_node_itself(lone: Server) -> None:
    person = Person(lone.url)
    token = person.copy()
    attackers = [Program(lone.port, "127.0.0.3") for _ in range(4)]

    with Hammer(attackers, lambda chance: unknown()).running() as hammer:
        poll(lambda: hammer.count(429) >= 500)
        pages = [person.page() for _ in range(5)]
        calls = [Program(lone.port).send(token) for _ in range(CALLS)]
        assert hammer.statuses == {401, 429}

    # The limit is per minute, and a new minute may have begun.
    assert MOST_UNKNOWN <= hammer.count(401) <= 2 * MOST_UNKNOWN
    assert {page.status_code for page in pages} == {200}
    assert max(page.elapsed.total_seconds() for page in pages) < PROMPTLY
    assert {call.status for call in calls} == {200}
    assert max(call.ended_at - call.began_at for call in calls) < PROMPTLY
