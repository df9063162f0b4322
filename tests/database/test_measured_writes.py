"""What a measurement finds on databases that take writes, and on others that do not."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import Error, connection, connections
from pytest_django.fixtures import Settings

from accounts.orm.confirmations import Confirmations
from botpenguin.database import write_probe
from botpenguin.database.write_probe import WriteProbe, commit_something
from tests.database.test_write_probe import LOGGED, NEVER
from tests.server import free_port

TABLE = "CREATE TABLE django_migrations (id INTEGER PRIMARY KEY)"


@pytest.fixture
def confirmed(monkeypatch: pytest.MonkeyPatch) -> Confirmations:
    fresh = Confirmations()
    monkeypatch.setattr(write_probe, "confirmations", fresh)
    return fresh


def in_thread(work: Callable[[], object]) -> None:
    """Run in a thread, which has a connection of its own as in a server."""
    thread = Thread(target=work)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def error_of(work: Callable[[], object]) -> list[str]:
    found = list[str]()

    def run() -> None:
        try:
            work()
        except Error as error:
            found.append(type(error).__name__)

    in_thread(run)
    return found


@pytest.mark.django_db(transaction=True)
def test_a_database_that_confirms_writes_is_reported_so(
    confirmed: Confirmations, caplog: pytest.LogCaptureFixture
) -> None:
    probe = WriteProbe()

    before = probe.problem()
    in_thread(probe.measure)
    first = confirmed.confirmed_at
    in_thread(probe.measure)

    assert (before, probe.problem()) == ("not measured yet", "")
    assert first
    assert confirmed.confirmed_at
    assert first < confirmed.confirmed_at
    assert caplog.messages == []


def on_sqlite(path: Path, options: str = "") -> dict[str, Any]:
    name = f"file:{path}{options}"
    return {
        "ENGINE": "botpenguin.database.sqlite3",
        "NAME": name,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 0.01},
    }


def on_postgresql(**settings: Any) -> dict[str, Any]:
    place = {"HOST": "127.0.0.1", "PORT": str(free_port()), "NAME": "panel", "USER": "web", "PASSWORD": ""}
    return {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"connect_timeout": 1}} | place | settings


# By what the line of the log says.
UNABLE: dict[str, Callable[[Path], dict[str, Any]]] = {
    "attempt to write a readonly database": lambda path: on_sqlite(path, "?mode=ro"),
    "attempt to write a readonly database ": lambda path: on_sqlite(path, "?immutable=1"),
    "unable to open database file": lambda path: on_sqlite(path.with_name("other"), "?mode=rw"),
    "unable to open database file ": lambda path: on_sqlite(path / "folder" / "file"),
    "unable to open database file  ": lambda path: on_sqlite(path.parent),
    "file is not a database": lambda path: on_sqlite(Path(__file__)),
    "no such table: django_migrations": lambda path: on_sqlite(path.with_name("new")),
    "Connection refused": lambda path: on_postgresql(),
    "invalid sslmode value": lambda path: on_postgresql(OPTIONS={"sslmode": "perhaps"}),
    "failed to resolve host": lambda path: on_postgresql(HOST="127.0.0.1:nowhere"),
    "No such file or directory": lambda path: on_postgresql(HOST=str(path.parent)),
}


@pytest.fixture
def default(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    """Let the threads that begin from now on use this database."""

    def use(database: dict[str, Any]) -> None:
        configured = connections.configure_settings({"default": database})
        monkeypatch.setitem(connections.settings, "default", configured["default"])

    return use


@pytest.mark.matrix
@pytest.mark.parametrize("reason", UNABLE)
def test_a_database_that_takes_no_write_is_reported_so(
    default: Callable[[dict[str, Any]], None],
    confirmed: Confirmations,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    reason: str,
) -> None:
    with closing(sqlite3.connect(tmp_path / "file")) as file:
        file.execute(TABLE)
    default(UNABLE[reason](tmp_path / "file"))
    probe = WriteProbe()

    in_thread(probe.measure)
    in_thread(probe.measure)

    assert (probe.problem(), confirmed.confirmed_at) == (NEVER, None)
    shown = [record for record in caplog.records if record.name == write_probe.__name__]
    assert [record.levelname for record in shown] == ["ERROR"]
    assert shown[0].getMessage().startswith(LOGGED)
    assert reason.strip() in shown[0].getMessage()


@pytest.mark.matrix
@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_lock_that_stays_is_reported_and_the_file_is_not_written(
    default: Callable[[dict[str, Any]], None], tmp_path: Path, lock: str
) -> None:
    path = tmp_path / "file"
    default(on_sqlite(path))

    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute(TABLE)
        content = path.read_bytes()
        writer.execute(lock)
        during = error_of(commit_something)
        writer.execute("ROLLBACK")
        after = error_of(commit_something)

    assert (during, after) == (["OperationalError"], [])
    assert path.read_bytes() == content


@pytest.mark.django_db(transaction=True)
def test_transactions_that_only_read_are_reported(
    default: Callable[[dict[str, Any]], None], settings: Settings
) -> None:
    """As a provider of PostgreSQL sets them where a disk is nearly full."""
    only_read: dict[str, dict[str, Any]] = {
        "sqlite": {"init_command": "PRAGMA query_only = ON"},
        "postgresql": {"options": "-c default_transaction_read_only=on", "pool": False},
    }
    # Past a pooler.
    measured = settings.DIRECT_DATABASE or connection.settings_dict
    changed = measured | {"OPTIONS": {**measured["OPTIONS"], **only_read[connection.vendor]}}
    if settings.DIRECT_DATABASE:
        settings.DIRECT_DATABASE = changed
    else:
        default(changed)

    assert error_of(commit_something) == ["OperationalError"]
