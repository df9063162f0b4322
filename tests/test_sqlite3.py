"""Where our backend for SQLite differs from Django's; what it owes to its callers holds on PostgreSQL too."""

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, tzinfo
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError, connection, transaction
from django.db.backends.sqlite3.base import SQLiteCursorWrapper
from django.db.backends.sqlite3.operations import DatabaseOperations

from accounts.bookkeeping import LOCK_TIMEOUT
from accounts.models import User
from botpenguin.sqlite3 import base

pytestmark = pytest.mark.django_db(transaction=True)

# Far more than it takes to throw away all garbage and to commit.
PATIENCE_MS = 20_000


@pytest.fixture
def _collected_on_demand() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_collected_on_demand")
def test_whoever_throws_away_what_a_failure_left_does_not_wait_for_the_thread_that_failed(alice: User) -> None:
    holds, waits = Event(), Event()
    row = User.objects.filter(pk=alice.pk)
    _, tell = LOCK_TIMEOUT[connection.vendor]

    def hold() -> None:
        with transaction.atomic():
            row.update(name="the first")
            holds.set()
            waits.wait()
            gc.collect()
        connection.close()

    def fail_and_wait() -> None:
        holds.wait()
        with connection.cursor() as cursor:
            cursor.execute(tell.format(1))
            with pytest.raises(OperationalError), transaction.atomic():
                row.update(name="in vain")
            cursor.execute(tell.format(PATIENCE_MS))
        with connection.execute_wrapper(waiting), transaction.atomic():
            row.update(name="the second")
        connection.close()

    def waiting(execute: Any, *statement: Any) -> Any:
        waits.set()
        return execute(*statement)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(hold), threads.submit(fail_and_wait)]:
            done.result()

    alice.refresh_from_db()
    assert alice.name == "the second"


@pytest.mark.parametrize("sql", ["SELECT 1 WHERE name = %s AND email LIKE '%%@%%'", f"SELECT {'%s, ' * 2_000}%s"])
def test_placeholders_are_put_into_the_spelling_of_sqlite_as_django_does(sql: str) -> None:
    cursor: Any = base.Cursor
    djangos: Any = SQLiteCursorWrapper

    for names in (None, ["one"]):
        text = sql if names is None else sql.replace("%s", "%(one)s")
        for _ in range(2):
            converted = cursor.convert_query(None, text, param_names=names)
            assert converted == djangos.convert_query(None, text, param_names=names)


@pytest.mark.parametrize("time_zone", [UTC, ZoneInfo("Asia/Kolkata")])
@pytest.mark.parametrize(
    "stored",
    [
        datetime(2026, 11, 24, 14, 2, 9, 123456),  # noqa: DTZ001 - as it lies in the database
        datetime(2026, 11, 24, 14, 2, 9, tzinfo=ZoneInfo("Europe/Berlin")),
        "2026-11-24 14:02:09",
        "2026-11-24 15:02:09+01:00",
        None,
    ],
)
def test_a_moment_is_read_as_django_reads_it(stored: Any, time_zone: tzinfo) -> None:
    wrapper: Any = base.DatabaseWrapper(connection.settings_dict)
    wrapper.timezone = time_zone
    ours, djangos = (kind(wrapper) for kind in (base.DatabaseOperations, DatabaseOperations))

    read = ours.convert_datetimefield_value(stored, None, wrapper)

    as_django = djangos.convert_datetimefield_value(stored, None, wrapper)
    assert (read, read and read.tzinfo) == (as_django, as_django and as_django.tzinfo)
