"""The last confirmed write only moves forward, whichever thread notes it, and covers what was committed before."""

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from accounts.orm.confirmations import MOST_KNOWN, MOST_SKEW, Confirmations

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


@pytest.mark.parametrize(
    ("committed", "is_covered"),
    [
        (NOON - 2 * MOST_SKEW, True),
        (NOON - MOST_SKEW - timedelta(microseconds=1), True),
        (NOON - MOST_SKEW, False),
        (NOON - timedelta(seconds=1), False),
        (NOON, False),
        (NOON + MOST_SKEW, False),
        (NOON + timedelta(days=1), False),
    ],
)
def test_a_confirmed_write_covers_what_every_clock_puts_before_it(committed: datetime, is_covered: bool) -> None:
    confirmed = Confirmations()
    before = confirmed.cover((1, 1), committed)

    confirmed.note(NOON)

    assert not before
    assert confirmed.cover((1, 1), committed) is is_covered


def test_what_was_confirmed_by_name_is_covered_whatever_the_clocks_say_until_too_many_names_are_known() -> None:
    confirmed = Confirmations()

    confirmed.remember((7, 1))
    first = confirmed.cover((7, 1), NOON), confirmed.cover((7, 2), NOON), confirmed.cover((1, 7), NOON)
    for number in range(MOST_KNOWN):
        confirmed.remember((8, number))

    assert first == (True, False, False)
    assert not confirmed.cover((7, 1), NOON)
    assert confirmed.cover((8, MOST_KNOWN - 1), NOON)


@pytest.mark.parametrize("is_measured", [False, True])
def test_a_commit_in_vain_leaves_a_doubt_only_where_a_measurement_will_end_it(is_measured: bool) -> None:
    confirmed = Confirmations()
    confirmed.is_measured = is_measured

    confirmed.doubt()
    during = confirmed.is_in_doubt
    confirmed.note(NOON)

    assert during is is_measured
    assert not confirmed.is_in_doubt
