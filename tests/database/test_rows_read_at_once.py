"""PostgreSQL answers a bearer check's SELECT in one round trip, and again where the first connection was lost."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DataError, OperationalError, connection, transaction
from pytest_django import DjangoDbBlocker

from accounts.orm.confirmations import NotConfirmed
from botpenguin.database.deadline import AnswerDeadline
from botpenguin.database.postgresql import base
from tests import pgbouncer, postgresql
from tests.postgresql import PostgreSQL

pytestmark = [pytest.mark.resilience, pytest.mark.xdist_group("postgresql")]
READ = "SELECT name, made_at, digest FROM kept WHERE digest IN (%s)"
# nextval() counts even where the statement fails.
FAILS = "SELECT 1 / (0 * nextval('tries')) WHERE %s <> ''::bytea"
DIGEST = bytes(range(32))
OTHERS = "pid <> pg_backend_pid() AND backend_type = 'client backend' AND datname = current_database()"
KILL = f"SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE {OTHERS}"  # noqa: S608
STATES = f"SELECT string_agg(state, ' ') FROM pg_stat_activity WHERE {OTHERS}"  # noqa: S608
TABLE = (
    "DROP TABLE IF EXISTS kept",
    "DROP SEQUENCE IF EXISTS tries",
    "CREATE TABLE kept (digest bytea PRIMARY KEY, name varchar(5), made_at timestamptz)",
    "CREATE SEQUENCE tries",
)


@pytest.fixture(scope="module")
def url(own_postgresql: PostgreSQL) -> str:
    return own_postgresql.new_database()


@pytest.fixture(autouse=True)
def _table(url: str) -> None:
    with psycopg.connect(url) as database:
        for statement in TABLE:
            database.execute(statement)
        database.execute("INSERT INTO kept VALUES (%s, 'Asha', '2026-12-01 00:00Z')", [DIGEST])


@pytest.fixture
def operator(url: str) -> Callable[[str], Any]:
    """Return a function that runs a statement on a connection beside the project's, and returns the first value."""

    def run(statement: str) -> Any:
        with psycopg.connect(url, autocommit=True) as database:
            cursor = database.execute(statement.encode())
            return (cursor.fetchone() or [None])[0] if cursor.description else None

    return run


@pytest.fixture
def _direct(url: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), postgresql.connected(url):
        open_pool()
        yield


@pytest.fixture
def _behind_pooler(own_postgresql: PostgreSQL, url: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with (
        pgbouncer.pooler(own_postgresql) as pooler,
        django_db_blocker.unblock(),
        postgresql.connected(pooler.url(url), url),
    ):
        open_pool()
        yield


def open_pool(size: int = 1) -> None:
    """Open the pool, which then has so many connections."""
    backend: Any = connection
    backend.settings_dict["OPTIONS"]["pool"] |= {"min_size": size, "max_size": size}
    backend.pool.open(wait=True)


def read(sql: str = READ, *digests: bytes) -> Any:
    backend: Any = connection
    return backend.read_row(sql, digests or [DIGEST])


def name() -> str:
    found: str = read()[0]
    # The thread holds a connection only after a repeated read.
    connection.close()
    return found


@contextmanager
def traced(path: Path) -> Iterator[None]:
    """Write the messages of the pool's only connection to a file."""
    connection.ensure_connection()
    driver: psycopg.Connection[Any] = connection.connection
    connection.close()
    with path.open("w") as file:
        driver.pgconn.trace(file.fileno())
        try:
            yield
        finally:
            driver.pgconn.untrace()


def sent(path: Path) -> list[str]:
    """Return what the client has sent: the kinds of messages, and the statements that these name."""
    return re.findall(r'\tF\t\d+\t(Parse\t "\w*"|Bind\t "" "\w*"|\w+)', path.read_text())


@pytest.mark.usefixtures("_direct")
def test_a_row_is_read_in_one_round_trip_of_a_prepared_statement(tmp_path: Path) -> None:
    with traced(tmp_path / "first"):
        first = read()
    with traced(tmp_path / "second"):
        second = read()
    nothing = read(READ, b"another")

    assert first == second
    assert (second[0], second[1].isoformat(), second[2]) == ("Asha", "2026-12-01T00:00:00+00:00", DIGEST)
    assert nothing is None
    prepared = ['Bind\t "" "read_row_0"', "Describe", "Execute", "Sync"]
    assert sent(tmp_path / "first") == ['Parse\t "read_row_0"', "Sync", *prepared]
    assert sent(tmp_path / "second") == prepared
    assert connection.connection is None


@pytest.mark.usefixtures("_behind_pooler")
def test_behind_a_pooler_nothing_is_prepared(tmp_path: Path) -> None:
    rows = [read()]
    with traced(tmp_path / "second"):
        rows.append(read())

    assert [row[0] for row in rows] == ["Asha", "Asha"]
    assert sent(tmp_path / "second") == ['Parse\t ""', 'Bind\t "" ""', "Describe", "Execute", "Sync"]


@pytest.mark.usefixtures("_direct")
def test_statements_for_one_key_and_for_two_are_different_ones() -> None:
    two = "SELECT name FROM kept WHERE digest IN (%s, %s)"

    found = [read(READ)[0], *read(two, b"another", DIGEST), read(READ)[0], *read(two, DIGEST, b"another")]

    assert found == ["Asha"] * 4


@pytest.mark.usefixtures("_direct")
def test_after_a_long_wait_a_lost_read_is_not_repeated(
    operator: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    operator(KILL)
    # Any wait is long now.
    monkeypatch.setattr(base, "SECONDS_FOR_A_CONNECTION", 1e-6)

    with pytest.raises(OperationalError, match="terminating connection"):
        read()


@pytest.mark.usefixtures("_direct")
def test_each_read_sees_what_was_committed_before_it(operator: Callable[[str], Any]) -> None:
    before = name()
    operator("UPDATE kept SET name = 'Ravi'")
    after = name()
    operator("DELETE FROM kept")

    assert (before, after, read()) == ("Asha", "Ravi", None)
    assert operator(STATES) == "idle"


@pytest.mark.usefixtures("_direct")
def test_a_thread_in_a_transaction_reads_what_it_has_written() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE kept SET name = 'Mine'")
        row = read()
        transaction.set_rollback(True)
    connection.close()

    assert (row[0], name()) == ("Mine", "Asha")


@pytest.mark.parametrize("where", ["_direct", "_behind_pooler"])
def test_reads_do_not_fail_where_connections_were_closed(
    request: pytest.FixtureRequest, operator: Callable[[str], Any], where: str
) -> None:
    request.getfixturevalue(where)
    backend: Any = connection
    backend.close_pool()
    open_pool(size=4)
    names = [name() for _ in range(8)]

    for _ in range(2):
        assert operator(KILL)
        names += [name() for _ in range(8)]

    assert names == ["Asha"] * 24


@pytest.mark.usefixtures("_direct")
def test_a_read_that_waited_long_for_a_lost_connection_is_not_repeated(
    operator: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    name()
    assert operator(KILL)
    monkeypatch.setattr(base, "SECONDS_FOR_A_CONNECTION", -1)
    monkeypatch.setattr(base.Pooled, "pool", connection.pool)  # type: ignore[attr-defined]
    with pytest.raises(OperationalError) as caught:
        read()
    monkeypatch.undo()

    # Nothing was written, so nothing is in doubt.
    assert not isinstance(caught.value, NotConfirmed)
    assert connection.connection is None
    assert name() == "Asha"


@pytest.mark.usefixtures("_direct")
def test_a_frozen_server_is_waited_for_once(own_postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    name()
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    connection.close()
    os.kill(pid, signal.SIGSTOP)
    try:
        monkeypatch.setattr(AnswerDeadline, "seconds", 0.1)
        with pytest.raises(OperationalError, match=r"has not answered within 0\.1 s") as caught:
            read()
    finally:
        os.kill(pid, signal.SIGCONT)
    monkeypatch.undo()

    assert not isinstance(caught.value, NotConfirmed)
    # No second connection was taken.
    assert connection.connection is None
    assert name() == "Asha"


@pytest.mark.usefixtures("_direct")
def test_an_error_of_a_living_connection_is_not_repeated(operator: Callable[[str], Any]) -> None:
    with pytest.raises(DataError, match="division by zero"):
        read(FAILS)

    assert operator("SELECT last_value FROM tries") == 1
    assert name() == "Asha"


@pytest.mark.usefixtures("_direct")
@pytest.mark.parametrize(
    "statement", ["ALTER TABLE kept ALTER name TYPE varchar(9)", "ALTER TABLE kept ADD more int, ALTER name TYPE text"]
)
def test_a_prepared_read_outlives_a_migration(operator: Callable[[str], Any], statement: str) -> None:
    before = name()
    operator(statement)

    assert [before, name(), name()] == ["Asha"] * 3


@pytest.mark.usefixtures("_direct")
@pytest.mark.parametrize("statement", ["DISCARD ALL", "DEALLOCATE ALL"])
def test_a_prepared_read_outlives_the_end_of_its_statement(statement: str) -> None:
    before = name()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()

    assert [before, name(), name()] == ["Asha"] * 3
