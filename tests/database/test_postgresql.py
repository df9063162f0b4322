"""A commit that no standby has confirmed is reported as such, and no answer is waited for without bound."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from accounts.orm import best_effort
from accounts.orm.confirmations import NotConfirmed, confirm, confirm_all, confirmations
from botpenguin.database.deadline import AnswerDeadline
from botpenguin.database.write_probe import commit_something
from tests import postgresql
from tests.server import poll

pytestmark = pytest.mark.resilience
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
KEY = (1, 1)
# A statement that is never answered in time, and one whose connection breaks off.
SLEEP, BREAK_OFF = "SELECT pg_sleep(60)", "SELECT pg_terminate_backend(pg_backend_pid())"
END_OF_WAIT = "SELECT {}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = %s"


@pytest.fixture(scope="module")
def primary() -> Iterator[str]:
    """The URL of a server whose commits wait for a standby that is not there."""
    with postgresql.server("-c synchronous_standby_names=nobody") as running:
        with psycopg.connect(running.url, options="-c synchronous_commit=local") as database:
            database.execute("CREATE TABLE written (number integer)")
        yield running.url


@pytest.fixture(autouse=True)
def _connected(primary: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    confirmations.is_measured = True
    with django_db_blocker.unblock(), postgresql.connected(primary):
        connection.ensure_connection()
        yield


def execute(statement: str, *values: int) -> list[tuple[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall()) if cursor.description else []


def write(number: int, before_the_commit: Callable[[], object] = bool) -> None:
    with transaction.atomic():
        execute("INSERT INTO written VALUES (%s)", number)
        before_the_commit()


def written(number: int) -> int:
    # As at the end of each request.
    connection.close_if_unusable_or_obsolete()
    return execute("SELECT number FROM written").count((number,))


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Wait very briefly for the answers to the statements that follow."""
    return lambda: monkeypatch.setattr(AnswerDeadline, "seconds", 0.1)


@pytest.fixture
def ended(primary: str) -> Iterator[Callable[[str], None]]:
    """Let a function of PostgreSQL end the next wait of this connection for a standby."""
    threads = []

    def end(function: str, pid: int) -> None:
        with psycopg.connect(primary, autocommit=True) as operator:
            poll(lambda: operator.execute(END_OF_WAIT.format(function).encode(), [pid]).fetchone() == (True,))

    def begin(function: str) -> None:
        pid = connection.connection.info.backend_pid
        threads.append(threading.Thread(target=end, args=[function, pid]))
        threads[-1].start()

    yield begin
    for thread in threads:
        thread.join()


def test_a_commit_that_no_standby_confirms_is_given_up(
    hurry: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotConfirmed, match=r"has not answered within 0\.1 s"):
        write(1, hurry)
    monkeypatch.undo()

    assert confirmations.is_in_doubt
    # The server still waits with it, and this process has a new connection.
    assert written(1) == 0


@pytest.mark.parametrize(
    ("setting", "refusal"), [("synchronous_commit = local", None), ("default_transaction_read_only = on", "read-only")]
)
def test_a_measurement_commits_and_finds_transactions_that_only_read(setting: str, refusal: str | None) -> None:
    execute(f"SET {setting}")

    with pytest.raises(OperationalError, match=refusal) if refusal else nullcontext():
        commit_something()

    assert connection.connection is None


def test_a_statement_that_commits_itself_is_given_up_too(
    hurry: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry()
    with pytest.raises(NotConfirmed):
        execute("INSERT INTO written VALUES (2)")
    monkeypatch.undo()

    assert written(2) == 0


@pytest.mark.parametrize("statements", [transaction.atomic, nullcontext])
def test_a_commit_that_an_operator_cuts_short_is_not_taken_for_done(
    ended: Callable[[str], None], statements: Callable[[], AbstractContextManager[object]]
) -> None:
    before = written(3)
    ended("pg_cancel_backend")

    with pytest.raises(NotConfirmed, match="cut short"), statements():
        execute("INSERT INTO written VALUES (3)")

    assert confirmations.is_in_doubt
    # It is visible, though no standby has it.
    assert written(3) == before + 1


def test_a_commit_whose_connection_breaks_off_may_have_taken_effect(ended: Callable[[str], None]) -> None:
    ended("pg_terminate_backend")

    with pytest.raises(NotConfirmed):
        write(4)

    # Here nothing says that the next would wait in vain.
    assert not confirmations.is_in_doubt
    assert written(4) == 1


@pytest.mark.parametrize("statement", [SLEEP, BREAK_OFF])
def test_a_transaction_that_breaks_off_before_its_commit_has_changed_nothing(
    hurry: Callable[[], None], monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    def fail() -> None:
        if statement == SLEEP:
            hurry()
        execute(statement)

    with pytest.raises(OperationalError) as caught:
        write(5, fail)
    monkeypatch.undo()

    assert not isinstance(caught.value, NotConfirmed)
    assert written(5) == 0


@pytest.mark.parametrize("statement", [SLEEP, BREAK_OFF])
def test_a_read_is_not_waited_for_without_bound(
    hurry: Callable[[], None], monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    if statement == SLEEP:
        hurry()
    with pytest.raises(OperationalError):
        execute(statement)
    monkeypatch.undo()

    assert written(0) == 0


def test_an_error_of_a_living_connection_stays_what_it_is() -> None:
    execute("SET statement_timeout = 50")

    with pytest.raises(OperationalError) as caught:
        execute(SLEEP)

    assert not isinstance(caught.value, NotConfirmed)
    assert isinstance(caught.value.__cause__, psycopg.errors.QueryCanceled)


def test_a_write_that_a_request_can_do_without_waits_for_no_standby() -> None:
    with connection.cursor() as cursor:
        is_kept = best_effort.try_write("A number", lambda: cursor.execute("INSERT INTO written VALUES (6)"))

    assert is_kept
    assert written(6) == 1


def test_a_write_inside_a_transaction_leaves_its_waits_as_they_are() -> None:
    with transaction.atomic():
        best_effort.try_write("Nothing", lambda: None)
        shown = execute("SHOW lock_timeout"), execute("SHOW synchronous_commit")

    assert shown == ([("5s",)], [("on",)])


def test_what_others_have_committed_is_confirmed_by_a_commit_of_our_own(
    hurry: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("SELECT 1")
    hurry()
    with pytest.raises(NotConfirmed, match="has not answered"):
        confirm(KEY, LONG_AGO)
    monkeypatch.undo()

    # Further commits would fill the server with connections that wait.
    with pytest.raises(NotConfirmed, match="at the moment"):
        confirm_all()
    with transaction.atomic():
        confirm(KEY, LONG_AGO)
    assert not confirmations.cover(KEY, LONG_AGO)


def test_a_confirmed_commit_is_confirmed_once() -> None:
    execute("SET synchronous_commit = local")
    confirm(KEY, LONG_AGO)
    execute("SET synchronous_commit = on")

    confirm(KEY, datetime.now(UTC))
    confirm((2, 2), LONG_AGO)

    assert not confirmations.is_in_doubt
