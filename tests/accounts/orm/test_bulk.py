"""Bulk work takes turns, and rests after each transaction so that others get in."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.orm import bulk
from accounts.orm.bulk import BulkBusy, bulk_writes
from tests.clock import Clock

# Seconds, far more than the work takes.
PATIENCE = 20
HOLD = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _rested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk.unrested, "seconds", 0)
    monkeypatch.setattr(bulk.refused, "since", None)


transactional = pytest.mark.django_db(transaction=True)


def rename(owner: User, name: str | None) -> int:
    return User.objects.filter(pk=owner.pk).update(name=name)


@transactional
def test_a_waiting_request_writes_before_waiting_bulk_work(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, written = Event(), Event()
    names: list[str] = []
    monkeypatch.setattr(bulk, "SHORTEST_REST", 0)
    monkeypatch.setattr(bulk, "rest", lambda seconds: written.wait(PATIENCE))

    def write() -> None:
        assert begun.wait(PATIENCE)
        with transaction.atomic():
            names.append("a revoke")
        written.set()
        connection.close()

    def more_bulk() -> None:
        assert begun.wait(PATIENCE)
        with bulk_writes():
            names.append("more bulk work")
        connection.close()

    with ThreadPoolExecutor(2) as threads:
        others = [threads.submit(more_bulk), threads.submit(write)]
        with bulk_writes():
            begun.set()
            rename(alice, "bulk work")
        for other in others:
            other.result(PATIENCE)

    if connection.vendor == "sqlite":
        assert names == ["a revoke", "more bulk work"]
    assert sorted(names) == ["a revoke", "more bulk work"]


@transactional
def test_failed_bulk_work_is_undone_and_rests_all_the_same(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr(bulk, "SHORTEST_REST", 0)
    monkeypatch.setattr(bulk, "rest", rests.append)

    with pytest.raises(IntegrityError), bulk_writes():
        sum(rename(alice, name) for name in ("Anna", None))

    alice.refresh_from_db()
    assert alice.name == "Alice"
    assert len(rests) == 1


@pytest.fixture
def _held_by_another_process() -> Iterator[None]:
    folder = Path(connection.settings_dict["NAME"]).parent
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.kill()


@pytest.mark.no_cover
@transactional
@pytest.mark.usefixtures("_held_by_another_process")
def test_a_process_that_keeps_its_turn_does_not_stop_all_others(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LONGEST_WAIT", 0.02)

    with bulk_writes():
        rename(alice, "Anna")

    alice.refresh_from_db()
    assert alice.name == "Anna"


def write_in_a_request(*, times: int = 1) -> int:
    """Do bulk work in a request, in so many transactions, and return how many were done."""

    def view(request: HttpRequest) -> HttpResponse:
        for _ in range(times):
            with bulk_writes():
                done.append(request)
        return HttpResponse()

    done: list[HttpRequest] = []
    with suppress(BulkBusy):
        bulk.wait_briefly(view)(HttpRequest())
    return len(done)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that advances while a request waits."""
    clock = Clock()
    monkeypatch.setattr(bulk, "time", clock)
    monkeypatch.setattr(bulk, "rest", lambda seconds: None)
    return clock


@transactional
@pytest.mark.usefixtures("_held_by_another_process")
def test_a_request_waits_a_second_for_its_first_turn_and_is_refused(clock: Clock) -> None:
    began_at = clock.now

    done = write_in_a_request()

    if connection.vendor == "sqlite":
        assert done == 0
        assert clock.now - began_at == pytest.approx(1, abs=0.01)
    else:
        assert (done, clock.now) == (1, began_at)


@transactional
def test_a_request_that_has_begun_waits_like_a_command(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = iter([True, *[False] * 500, True])
    monkeypatch.setattr(bulk, "_lock", lambda descriptor: next(tries))

    assert write_in_a_request(times=2) == 2


@transactional
@pytest.mark.usefixtures("_held_by_another_process")
def test_requests_go_on_without_a_turn_where_it_has_not_been_theirs_for_long(clock: Clock) -> None:
    done = [write_in_a_request() for _ in range(22)]

    # A stopped process delays others only: one of them gets a turn every ten seconds.
    if connection.vendor == "sqlite":
        assert sum(done) == 2
        assert done[:5] == [0] * 5


@pytest.mark.no_cover
@transactional
@pytest.mark.parametrize(
    ("held", "rested"),
    [([0.08], [0.08]), ([3.0], [0.25]), ([0.01, 0.01], []), ([0.01, 0.01, 0.01], [0.03]), ([0.03, 0.03], [0.03] * 2)],
)
def test_a_rest_lasts_as_long_as_what_was_written_since_the_last_one(
    held: list[float], rested: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    clock = Clock()
    monkeypatch.setattr(bulk, "time", clock)
    monkeypatch.setattr(bulk, "rest", lambda seconds: rests.append(round(seconds, 3)))

    for seconds in held:
        with bulk_writes():
            clock.now += seconds

    assert rests == rested
