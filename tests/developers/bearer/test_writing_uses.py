"""When counts of uses are written: soon after another write failed, and before a process ends."""

from threading import Thread

import pytest
from django.db import connection

from accounts.models import User
from accounts.orm import best_effort
from developers import issuance
from developers.bearer import use_counts, verification
from developers.bearer.use_counts import STOP_PATIENCE, STOP_PAUSE, Counts, UseCounts
from developers.models import RevokedToken, TokenUse
from tests.cast import PHONE, token_text
from tests.clock import Clock
from tests.developers.bearer.requests import bearing, failing_on, refusal
from tests.developers.bearer.test_use_counts import add


class Waits:
    """Records how long a timer waits, and lets it run so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.seconds: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return len(self.seconds) > self.times

    def set(self) -> None:
        self.times = 0


class RefusingDatabase:
    """Refuses the counts so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.written = 0

    def __call__(self, counts: Counts) -> Counts:
        if self.times:
            self.times -= 1
            return counts
        self.written += sum(count.number for count in counts.values())
        return {}


def test_a_dropped_write_of_a_request_does_not_delay_the_counts(alice: User) -> None:
    old = token_text(alice)
    issuance.revoke(alice, 1, PHONE, even_if_used=True)
    for _ in range(3):
        refusal(bearing(f"Bearer {old}"))
    best_effort.backoff.begin()

    is_done = verification.use_counts.flush()

    assert is_done
    assert TokenUse.objects.get().count == RevokedToken.objects.get().refused_count == 3


def test_refusals_that_the_database_does_not_take_are_tried_once_and_kept(
    alice: User, bob: User, caplog: pytest.LogCaptureFixture
) -> None:
    for person in (alice, bob):
        old = token_text(person)
        issuance.revoke(person, 1, PHONE, even_if_used=True)
        for _ in range(3):
            refusal(bearing(f"Bearer {old}"))

    with connection.execute_wrapper(failing_on("UPDATE")):
        verification.use_counts.flush()
    logged = len(caplog.messages)
    verification._write_counts({})

    assert logged == 1
    assert set(RevokedToken.objects.values_list("refused_count", flat=True)) == {3}


@pytest.mark.parametrize(
    ("refusals", "pauses"),
    [
        (0, [55, 55, 55]),
        (1, [55, 5, 55]),
        (2, [55, 5, 10, 55]),
        (5, [55, 5, 10, 20, 40, 55, 55]),
        (6, [55, 5, 10, 20, 40, 55, 55, 55]),
    ],
)
def test_counts_that_the_database_does_not_take_are_written_within_seconds(refusals: int, pauses: list[float]) -> None:
    database, waits = RefusingDatabase(refusals), Waits(len(pauses) - 1)
    counts = UseCounts(database)
    counts._is_over = waits  # type: ignore[assignment]
    add(counts)

    timer = Thread(target=counts._flush_by_timer)
    timer.start()
    timer.join()

    assert waits.seconds == pauses
    assert database.written == 1


@pytest.mark.parametrize(("refusals", "written", "seconds"), [(0, 1, 0), (2, 1, 0.4), (99, 0, STOP_PATIENCE)])
def test_a_stop_tries_for_two_seconds(
    monkeypatch: pytest.MonkeyPatch, refusals: int, written: int, seconds: float
) -> None:
    database, clock = RefusingDatabase(refusals), Clock()
    counts = UseCounts(database)
    add(counts)
    monkeypatch.setattr(use_counts, "time", clock)
    began = clock.now

    counts.stop()

    assert database.written == written
    assert seconds <= clock.now - began + 0.001 < seconds + STOP_PAUSE


def test_a_stop_does_not_try_again_where_one_attempt_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, attempts = Clock(), list[Counts]()

    def wait_for_the_database(counts: Counts) -> Counts:
        attempts.append(counts)
        clock.sleep(10)
        return counts

    counts = UseCounts(wait_for_the_database)
    add(counts)
    monkeypatch.setattr(use_counts, "time", clock)

    counts.stop()

    assert len(attempts) == 1
