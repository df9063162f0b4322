import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from developers.bearer import refusal_counts
from developers.bearer.refusal_counts import RefusalCounts
from tests.cast import LAPTOP, PHONE


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the process's clock, as the one item of a list."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_the_first_refusal_is_written_at_once(clock: list[float]) -> None:
    assert RefusalCounts().add(1) == 1


def test_a_refusal_right_after_boot_is_written_at_once(clock: list[float]) -> None:
    """The monotonic clock may begin at zero."""
    clock[0] = 0.0

    assert RefusalCounts().add(1) == 1


def test_further_refusals_wait_for_a_minute_and_are_written_together(clock: list[float]) -> None:
    seen = RefusalCounts()

    written = []
    for second in (0, 1, 30, 59, 60, 61, 125):
        clock[0] = 1000.0 + second
        written.append(seen.add(1))

    assert written == [1, 0, 0, 0, 4, 0, 2]


def test_each_token_has_its_own_minute(clock: list[float]) -> None:
    seen = RefusalCounts()

    assert [seen.add(1), seen.add(2), seen.add(1), seen.add(2)] == [1, 1, 0, 0]


def test_memory_is_bounded_by_forgetting_the_token_seen_least_recently(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusal_counts, "MOST_REMEMBERED", 2)
    seen = RefusalCounts()

    written = [seen.add(revoked_id) for revoked_id in (1, 2, 1, 3, 1, 2)]

    assert written == [1, 1, 0, 1, 0, 1]
    assert len(seen._counts) == 2


def test_threads_lose_no_refusal(clock: list[float]) -> None:
    seen = RefusalCounts()

    with ThreadPoolExecutor(8) as threads:
        written = sum(threads.map(seen.add, [1] * 2000))
    clock[0] += 60

    assert written == 1
    assert seen.add(1) == 2000


def test_what_waits_is_taken_with_its_last_client_and_once(clock: list[float]) -> None:
    seen = RefusalCounts()
    for client in (LAPTOP, LAPTOP, PHONE):
        seen.add(1, client)
    seen.add(2, LAPTOP)

    taken = [seen.take(), seen.take()]
    clock[0] += 60

    assert taken == [{1: (2, PHONE)}, {}]
    assert seen.add(1, LAPTOP) == 1


def test_what_could_not_be_written_counts_again(clock: list[float]) -> None:
    seen = RefusalCounts()
    for _ in range(5):
        seen.add(1, LAPTOP)

    [(count, _client)] = seen.take().values()
    seen.add(1, LAPTOP)
    seen.give_back(1, count)
    seen.give_back(99, count)

    assert seen.take() == {1: (5, LAPTOP)}


def test_few_tokens_are_taken_at_once(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    monkeypatch.setattr(refusal_counts, "MOST_TAKEN", 2)
    seen = RefusalCounts()
    for revoked_id in (1, 2, 3) * 2:
        seen.add(revoked_id, LAPTOP)

    assert [set(seen.take()), set(seen.take())] == [{1, 2}, {3}]
