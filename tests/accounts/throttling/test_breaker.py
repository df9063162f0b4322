"""A breaker lets one thread wait, and refuses the others at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from threading import Event

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.throttling import breaker as breaking
from accounts.throttling.breaker import MOST_WAITS, OPEN_SECONDS, SLOW_ERROR_SECONDS, Breaker, OutOfReach
from accounts.throttling.redis import GuardedRedis
from tests.clock import Clock

A_WHILE = SLOW_ERROR_SECONDS + 0.01


class Held:
    """A lock held by one other thread, or by several in turn."""

    def __init__(self, breaker: Breaker, waits: int, *, by_others: bool = False) -> None:
        self.breaker, self.waits, self.by_others = breaker, waits, by_others
        self.waited = 0

    def acquire(self, timeout: float) -> bool:
        self.waited += 1
        self.breaker._entered_at += self.by_others
        return self.waited > self.waits

    def release(self) -> None:
        """Nobody else waits for it."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(breaking, "time", clock)
    return clock


def is_let_in(breaker: Breaker) -> bool:
    try:
        with breaker.guard():
            return True
    except OutOfReach:
        return False


def fail(breaker: Breaker, clock: Clock, seconds: float) -> None:
    with suppress(OSError), breaker.guard():
        clock.now += seconds
        raise OSError


@pytest.mark.parametrize("ask", [lambda client: client.get("a"), lambda client: client.transaction(print, "a")])
def test_redis_is_not_asked_while_another_thread_has_just_waited_in_vain(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, ask: Callable[[redis.Redis], object]
) -> None:
    monkeypatch.setattr(breaking, "cache", Breaker("cache"))
    # Nothing listens there.
    client = GuardedRedis(port=1, retry=Retry(NoBackoff(), 0))
    breaking.cache.trip()

    with pytest.raises(OutOfReach):
        ask(client)

    clock.now += OPEN_SECONDS
    with pytest.raises(redis.ConnectionError):
        ask(client)


def test_while_one_waits_others_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaking, "WAIT_SECONDS", 0.0)
    breaker = Breaker()

    with breaker.guard():
        during = [is_let_in(breaker) for _ in range(3)]

    assert (during, is_let_in(breaker)) == ([False] * 3, True)


def test_after_one_has_waited_in_vain_nobody_tries_for_a_second_and_then_one_at_a_time_does(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker = Breaker()
    fail(breaker, clock, A_WHILE)
    within_the_second = is_let_in(breaker)
    clock.now += OPEN_SECONDS
    with monkeypatch.context() as patched, ExitStack() as probe:
        probe.enter_context(breaker.guard())
        # A lock accepts no such timeout.
        patched.setattr(breaking, "WAIT_SECONDS", -2.0)
        beside_the_probe = is_let_in(breaker)

    assert (within_the_second, beside_the_probe, is_let_in(breaker)) == (False, False, True)


def test_an_error_that_comes_at_once_keeps_nobody_out(clock: Clock) -> None:
    breaker = Breaker()

    fail(breaker, clock, 0)

    assert is_let_in(breaker)


def test_a_thread_that_waited_for_a_failing_one_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, breaker, is_inside, may_fail = Clock(), Breaker(), Event(), Event()
    monkeypatch.setattr(breaking, "time", clock)
    monkeypatch.setattr(breaking, "WAIT_SECONDS", 60)

    def wait_in_vain() -> None:
        with breaker.guard():
            is_inside.set()
            may_fail.wait()
            clock.now += A_WHILE
            raise OSError

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(wait_in_vain)
        is_inside.wait()
        second = threads.submit(is_let_in, breaker)
        may_fail.set()

    assert isinstance(first.exception(), OSError)
    assert second.result() is False


@pytest.mark.parametrize(
    ("waits", "by_others", "is_in"),
    [(MOST_WAITS - 1, False, True), (MOST_WAITS, False, False), (20 * MOST_WAITS, True, True)],
    ids=["until it is through", "too long", "while one after the other gets through"],
)
def test_a_thread_counts_its_waits_for_one_holder(waits: int, by_others: bool, is_in: bool) -> None:
    """It does not count seconds: in a busy process each wait lasts longer, and so does the work of the other thread."""
    breaker = Breaker()
    breaker._lock = Held(breaker, waits, by_others=by_others)  # type: ignore[assignment]

    assert is_let_in(breaker) is is_in


@pytest.mark.usefixtures("patience")
def test_those_who_are_quick_wait_for_each_other() -> None:
    breaker, inside = Breaker(), []

    def enter(_: int) -> int:
        with breaker.guard():
            inside.append(1)
            return len(inside) - inside.pop()

    with ThreadPoolExecutor(8) as threads:
        others_inside = list(threads.map(enter, range(200)))

    assert others_inside == [0] * 200
