"""When counts of uses are written: soon after another write failed, and before a process ends."""

from threading import Thread

import pytest
from django.db import connection

from accounts.models import User
from accounts.orm import best_effort
from developers import issuance
from developers.bearer import use_counts, verification
from developers.bearer.use_counts import Counts, UseCounts
from developers.models import RevokedToken, TokenUse
from tests.cast import PHONE, token_text
from tests.developers.bearer.requests import bearing, failing_on, refusal
from tests.developers.bearer.test_use_counts import add

MINUTE, SOON = 55.0, 5.0


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


def test_counts_that_the_database_does_not_take_are_written_within_seconds(caplog: pytest.LogCaptureFixture) -> None:
    database, waits = RefusingDatabase(2), Waits(4)
    counts = UseCounts(database)
    counts._is_over = waits  # type: ignore[assignment]
    add(counts)

    timer = Thread(target=counts._flush_by_timer)
    timer.start()
    timer.join()

    assert waits.seconds == [MINUTE, SOON, SOON, MINUTE, MINUTE]
    assert database.written == 1
    assert caplog.messages == []


@pytest.mark.parametrize(("refusals", "written", "pauses"), [(0, 1, 0), (2, 1, 2), (99, 0, use_counts.STOP_ATTEMPTS)])
def test_a_stop_tries_for_about_two_seconds(
    monkeypatch: pytest.MonkeyPatch, refusals: int, written: int, pauses: int
) -> None:
    paused = list[float]()
    monkeypatch.setattr("time.sleep", paused.append)
    database = RefusingDatabase(refusals)
    counts = UseCounts(database)
    add(counts)

    counts.stop()

    assert database.written == written
    assert paused == [use_counts.STOP_PAUSE] * pauses
    assert sum(paused) < 2
