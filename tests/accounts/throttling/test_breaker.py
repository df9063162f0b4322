"""A breaker lets one thread wait, and refuses the others at once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from threading import Event

import pytest

from accounts.throttling import breaker as breaking
from accounts.throttling.breaker import PATIENCE, SECONDS_OF_NO_TRYING, Breaker, OutOfReach
from tests import clock as clocks
from tests.server import poll

A_WHILE = PATIENCE + 0.01


class Clock(clocks.Clock):
    """Counts how often it is asked."""

    asked = 0

    def monotonic(self) -> float:
        self.asked += 1
        return super().monotonic()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(breaking, "time", clock)
    # Who waits for the one inside waits no real time.
    monkeypatch.setattr(breaking, "PATIENCE", 0.01)
    return clock


def is_let_in(breaker: Breaker) -> bool:
    try:
        with breaker.turn():
            return True
    except OutOfReach:
        return False


def fail(breaker: Breaker, clock: Clock, seconds: float) -> None:
    with suppress(OSError), breaker.turn():
        clock.now += seconds
        raise OSError


def test_while_one_waits_others_are_refused(clock: Clock) -> None:
    breaker = Breaker()

    with breaker.turn():
        clock.now += A_WHILE
        during = [is_let_in(breaker) for _ in range(3)]

    assert (during, is_let_in(breaker)) == ([False] * 3, True)


def test_after_one_has_waited_in_vain_nobody_tries_for_a_second_and_then_one_at_a_time_does(clock: Clock) -> None:
    breaker = Breaker()
    fail(breaker, clock, A_WHILE)
    within_the_second = is_let_in(breaker)
    clock.now += SECONDS_OF_NO_TRYING
    with ExitStack() as probe:
        probe.enter_context(breaker.turn())
        # At once: no time has passed since the one inside tries.
        beside_the_probe = is_let_in(breaker)

    assert (within_the_second, beside_the_probe, is_let_in(breaker)) == (False, False, True)


def test_an_error_that_comes_at_once_keeps_nobody_out(clock: Clock) -> None:
    breaker = Breaker()

    fail(breaker, clock, 0)

    assert is_let_in(breaker)


def test_whoever_waited_for_one_that_fails_does_not_wait_in_vain_too(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, breaker, is_inside, may_fail = Clock(), Breaker(), Event(), Event()
    monkeypatch.setattr(breaking, "time", clock)
    monkeypatch.setattr(breaking, "PATIENCE", 60)

    def wait_in_vain() -> None:
        with breaker.turn():
            is_inside.set()
            may_fail.wait()
            clock.now += 61
            raise OSError

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(wait_in_vain)
        is_inside.wait()
        second = threads.submit(is_let_in, breaker)
        may_fail.set()

    assert isinstance(first.exception(), OSError)
    assert second.result() is False


def test_whoever_waits_for_one_that_gets_through_is_let_in_after_it(clock: Clock) -> None:
    breaker = Breaker()

    with ThreadPoolExecutor(1) as threads, breaker.turn():
        asked = clock.asked
        second = threads.submit(is_let_in, breaker)
        # It has waited for a while, and waits on: by the clock no time has passed.
        poll(lambda: clock.asked > asked)

    assert second.result()


def test_those_who_are_quick_wait_for_each_other(clock: Clock) -> None:
    breaker, inside = Breaker(), []

    def enter(_: int) -> int:
        with breaker.turn():
            inside.append(1)
            return len(inside) - inside.pop()

    with ThreadPoolExecutor(8) as threads:
        others_inside = list(threads.map(enter, range(200)))

    assert others_inside == [0] * 200
