"""A backup made under load is restored: it is consistent, people log in, and its tokens are revoked unless kept."""

import itertools
import re
import shlex
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from accounts.models import User
from botpenguin.operations import backups
from developers import issuance
from developers.models import RevokedToken
from tests import postgresql
from tests.cast import LAPTOP, PASSWORD
from tests.operations.databases import manage, refusal
from tests.postgresql import program_path
from tests.resilience.conftest import Serve
from tests.resilience.load import PATH, Hammer, Person, Program, make_people
from tests.server import Server, ask, poll

pytestmark = [pytest.mark.resilience, pytest.mark.long]

KILLS = 4
MUCH = """
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 5000)
INSERT INTO accounts_cachedvalue (key, value, ends_at) SELECT 'much' || n, hex(randomblob(2000)), 1e15 FROM number
"""
LEAST_CALLS, LEAST_ROTATIONS = 200, 3
PAUSE = 0.01
STEADY, ROTATING, REVOKING, ARRIVING = range(4)
numbers = itertools.count()
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()"
)
# Each person's generation, and the numbers of revoked and of issued tokens.
BOOKS = """
SELECT t.generation, (SELECT count(*) FROM developers_revokedtoken r WHERE r.user_id = t.user_id),
       (SELECT count(*) FROM accounts_securityevent e WHERE e.user_id = t.user_id AND e.kind = 'token-issued')
       + (SELECT coalesce(sum(c.count), 0) FROM accounts_eventcount c
          WHERE c.user_id = t.user_id AND c.kind = 'token-issued')
FROM developers_apitoken t ORDER BY t.user_id
"""


@contextmanager
def repeated(*actions: Callable[[], object]) -> Iterator[list[int]]:
    """Repeat each action until the block ends; yield how often each was done."""
    over, counts = threading.Event(), [0] * len(actions)

    def repeat(number: int) -> None:
        while not over.is_set():
            actions[number]()
            counts[number] += 1

    with ThreadPoolExecutor(len(actions)) as pool:
        running = [pool.submit(repeat, number) for number in range(len(actions))]
        try:
            yield counts
        finally:
            over.set()
            # Raise the error of a thread: `poll` in the block would only report that it waited in vain.
            for thread in running:
                thread.result()


def arrive(server: Server) -> None:
    """Log in from a new address each time: log-ins per address and minute are limited."""
    address = f"198.51.100.{next(numbers) % 250}"
    Person(server.url, ARRIVING, headers={"X-Forwarded-For": address})


def restart_after(server: Server, *command: str) -> str:
    """Stop the server, run a command, start the server again, and return the output."""
    server.stop()
    done = server.manage(*command)
    assert done.returncode == 0, done.stderr
    server.start()
    server.wait_until_ready()
    return done.stdout


def refusal_of(server: Server, token: str) -> tuple[int, str]:
    answer = ask(server.url + PATH, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.headers.get("WWW-Authenticate", "")


def back_up_under_load(server: Server, rotating: Person, token: str, path: Path) -> None:
    """Make a backup while programs call, a person revokes and others log in, before it and after it."""
    with (
        Hammer([Program(server.port) for _ in range(2)], lambda chance: token, PAUSE).running() as hammer,
        repeated(rotating.revoke, lambda: arrive(server)) as counts,
    ):
        poll(lambda: hammer.count(200) >= LEAST_CALLS and min(counts) >= LEAST_ROTATIONS)
        made = server.manage("backup", str(path))
        before = [hammer.count(200), *counts]
        poll(lambda: all(now > then for now, then in zip([hammer.count(200), *counts], before, strict=True)))
    assert made.returncode == 0, made.stderr
    assert hammer.statuses == {200}


@pytest.mark.release
def test_a_backup_taken_under_load_is_restored_and_no_token_of_its_day_works(serve: Serve, tmp_path: Path) -> None:
    server, path = serve(WORKERS="2", TRUSTED_PROXIES="127.0.0.1"), tmp_path / "backup.sqlite3"
    make_people(server, 4)
    people = [Person(server.url, number) for number in range(3)]
    tokens = [person.copy() for person in people]

    back_up_under_load(server, people[ROTATING], tokens[STEADY], path)

    assert people[REVOKING].revoke().json()["verdict"] == "replaced"
    revoked, replacing = tokens[REVOKING], people[REVOKING].copy()
    # A database that a server has open is not replaced.
    refused = server.manage("restore", str(path), "--noinput")
    assert refused.returncode == 1
    assert "is in use, or cannot be written: database is locked. Stop every" in refused.stderr
    assert (refusal_of(server, revoked)[0], refusal_of(server, replacing)[0]) == (401, 200)

    # There is no load any more, and one process starts sooner.
    server.environment["WORKERS"] = "1"
    output = restart_after(server, "restore", str(path), "--noinput", "--keep-tokens")

    assert re.search(r"^WARNING: every revoke answered since \S+ \S+ UTC is undone\.", output, re.MULTILINE)
    assert "In the database that was there, 2 of them had been replaced." in output
    assert [refusal_of(server, token)[0] for token in (tokens[STEADY], revoked, replacing)] == [200, 200, 401]
    assert people[STEADY].page().status_code == 302, "the sessions of the backup are ended"
    output = restart_after(server, "restore", str(path), "--noinput")

    assert "Tokens replaced: 4." in output
    for token in (tokens[STEADY], revoked):
        status, challenge = refusal_of(server, token)
        assert (status, "revoked" in challenge) == (401, True)
    back = [Person(server.url, number) for number in range(4)]
    assert [refusal_of(server, person.copy())[0] for person in back] == [200] * 4
    assert "A backup of this server was restored" in back[STEADY].page().text
    with closing(sqlite3.connect(server.folder / "var" / "db.sqlite3")) as database:
        books = database.execute(BOOKS).fetchall()
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert len(books) == 4
    assert books[ROTATING][0] > LEAST_ROTATIONS
    # Twenty revoked tokens are kept.
    assert books == [(generation, min(generation - 1, 20), generation) for generation, _, _ in books]


@pytest.mark.release
def test_killed_backups_leave_none_that_is_not_whole_and_disturb_nobody(serve: Serve, tmp_path: Path) -> None:
    server, folder = serve(WORKERS="2"), tmp_path / "backups"
    folder.mkdir()
    make_people(server, 1)
    rotating = Person(server.url)
    with server.database() as database:
        # Some 20 MB, so that a copy takes a while.
        database.execute(MUCH)

    killed = []
    with repeated(rotating.revoke) as counts:
        for number in range(KILLS):
            making = server.manage_in_background("backup", str(folder / f"{number}.sqlite3"))
            # The file of the copy, or the end of a copy that took too little time.
            poll(lambda: any(folder.glob(f".{number}.sqlite3.*")) or making.poll() is not None)  # noqa: B023
            making.kill()
            making.communicate()
            killed.append(making.returncode)
            poll(lambda: counts[0] > number)  # noqa: B023
        made = server.manage("backup", str(folder / "whole.sqlite3"))

    assert -signal.SIGKILL in killed
    assert made.returncode == 0, made.stderr
    ended = {f"{number}.sqlite3" for number, code in enumerate(killed) if code == 0}
    found = {path.name for path in folder.glob("[!.]*")}
    assert found == {"whole.sqlite3"} | ended
    for name in found:
        backups.check(folder / name)
    with closing(sqlite3.connect(folder / "whole.sqlite3")) as copy:
        [(generation, _, _)] = copy.execute(BOOKS).fetchall()
    assert KILLS <= generation <= counts[0] + 1


def test_on_postgresql_what_the_commands_print_makes_a_backup_and_restores_it(
    database: str, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    dump = tmp_path / "panel.dump"
    restored = urlsplit(database)._replace(path="/postgres_restored").geturl()
    with django_db_blocker.unblock(), postgresql.connected(database):
        manage("migrate", "--verbosity=0")
        for number in range(2):
            issuance.issue(User.objects.create_user(f"person{number}@example.com", PASSWORD), LAPTOP)
        run_printed(refusal("backup", str(dump)), r"umask 077 && (pg_dump .*)\)$")
        steps = refusal("restore", str(dump))
    run_printed(steps, r"^2\. (createdb .*)$")
    run_printed(steps, r"^3\. (pg_restore .*)$")
    with django_db_blocker.unblock(), postgresql.connected(restored):
        with psycopg.connect(restored):
            refused = refusal("restore", "--after-pg-restore", "--noinput")
        poll(is_alone)
        kept = manage("restore", "--after-pg-restore", "--noinput", "--keep-tokens")
        replaced = manage("restore", "--after-pg-restore", "--noinput")
        revoked = RevokedToken.objects.order_by("user_id").values_list("id", "reason", "generation")

        assert refused == (
            "Nothing was restored. The database is in use. Stop every server, mail worker and other command first."
        )
        assert "\nWARNING: every revoke answered since 20" in kept
        assert re.search(r"^users +2$", kept, re.MULTILINE)
        assert "Tokens replaced: 2. The old ones are refused" in replaced
        assert [row[1:] for row in revoked] == [("restored", 1)] * 2
        # Each of the two restores has skipped ids.
        assert min(revoked)[0] == 20_000_001


def is_alone() -> bool:
    """Return whether PostgreSQL has noticed that the other connections to Django's database are closed."""
    with connection.cursor() as cursor:
        cursor.execute(OTHERS)
        return bool(cursor.fetchone() == (0,))


def run_printed(text: str, pattern: str) -> None:
    """Run a line that a command has printed, with the installed program of PostgreSQL."""
    found = re.search(pattern, text, re.MULTILINE)
    assert found, text
    program, *arguments = shlex.split(found[1])
    subprocess.run([program_path(program), *arguments], check=True, timeout=60)
