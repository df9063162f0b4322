"""The last confirmed write only moves forward, whichever thread notes it."""

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from accounts.orm.confirmations import Confirmations

pytestmark = pytest.mark.matrix
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "last"),
    [
        ([], None),
        ([0], 0),
        ([0, 1], 1),
        ([1, 0], 1),
        ([0, 0], 0),
        ([3, 1, 2], 3),
        ([-1, 5, -7], 5),
        ([1, 0.999999], 1),
        ([0.000001, 0], 0.000001),
    ],
)
def test_the_last_confirmed_write_is_the_latest_that_was_noted(seconds: list[float], last: float | None) -> None:
    confirmed = Confirmations()

    for passed in seconds:
        confirmed.note(NOON + timedelta(seconds=passed))

    assert confirmed.confirmed_at == (None if last is None else NOON + timedelta(seconds=last))


def test_threads_that_note_at_the_same_time_leave_the_latest() -> None:
    confirmed = Confirmations()
    times = [NOON + timedelta(seconds=passed) for passed in range(40)]
    threads = [Thread(target=confirmed.note, args=(time,)) for time in reversed(times)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert confirmed.confirmed_at == times[-1]
