"""How our backend for SQLite differs from Django's; its promises to callers hold on PostgreSQL too."""

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

from accounts.models import User
from botpenguin.database.sqlite3 import base
from tests.lock_timeouts import LOCK_TIMEOUT

# Seconds: far more than collecting all garbage and a commit take.
PATIENCE = 20
DJANGOS: Any = SQLiteCursorWrapper


@pytest.fixture
def _collected_on_demand() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_collected_on_demand")
def test_collecting_the_garbage_of_a_failure_does_not_wait_for_the_thread_that_failed(alice: User) -> None:
    holds, waits = Event(), Event()
    row = User.objects.filter(pk=alice.pk)
    _, set_timeout = LOCK_TIMEOUT[connection.vendor]

    def hold() -> None:
        with transaction.atomic():
            row.update(name="the first")
            holds.set()
            assert waits.wait(PATIENCE)
            gc.collect()
        connection.close()

    def fail_and_wait() -> None:
        assert holds.wait(PATIENCE)
        with connection.cursor() as cursor:
            cursor.execute(set_timeout.format(1))
            with pytest.raises(OperationalError), transaction.atomic():
                row.update(name="in vain")
            cursor.execute(set_timeout.format(PATIENCE * 1000))
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


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT %s WHERE name LIKE '%%a%%'",
        "SELECT %(one)s WHERE name LIKE '%%a%%'",
        f"SELECT {'%(one)s, ' * base.LONGEST_KEPT}%(one)s",
    ],
    ids=["by position", "by name", "long"],
)
def test_placeholders_are_put_into_the_spelling_of_sqlite_as_django_does(sql: str) -> None:
    ours: Any = base.Cursor
    ways = [["one"], None] if "(one)" in sql else [None]

    converted = [ours.convert_query(None, sql, param_names=names) for names in ways * 2]

    assert converted == [DJANGOS.convert_query(None, sql, param_names=names) for names in ways * 2]
    assert len({*converted}) == len(ways)


@pytest.mark.parametrize("time_zone", [UTC, ZoneInfo("Asia/Kolkata")], ids=str)
@pytest.mark.parametrize(
    "stored",
    [
        datetime(2026, 11, 24, 14, 2, 9, 123456),  # noqa: DTZ001 - as it lies in the database
        datetime(2026, 11, 24, 14, 2, 9, tzinfo=ZoneInfo("Europe/Berlin")),
        "2026-11-24 14:02:09",
        "2026-11-24 15:02:09+01:00",
        None,
    ],
    ids=str,
)
def test_a_time_is_read_as_django_reads_it(stored: Any, time_zone: tzinfo) -> None:
    wrapper: Any = base.DatabaseWrapper(connection.settings_dict)
    wrapper.timezone = time_zone
    ours, djangos = (kind(wrapper) for kind in (base.DatabaseOperations, DatabaseOperations))

    read = ours.convert_datetimefield_value(stored, None, wrapper)

    as_django = djangos.convert_datetimefield_value(stored, None, wrapper)
    assert (read, read and read.tzinfo) == (as_django, as_django and as_django.tzinfo)
