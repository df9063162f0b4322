"""Places for outbound calls are shared among accounts, and no thread waits for one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Barrier

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.throttling.counters import Limit
from accounts.throttling.models import CachedValue, Counter
from developers.outbound import running
from developers.outbound.models import ApiLog
from developers.outbound.recipe import Recipe
from developers.outbound.running import NoFreeSlot, TooManyCalls, Unfillable
from developers.outbound.transport import concurrency
from developers.outbound.transport.concurrency import CallSlots
from tests.cast import LAPTOP, logged_in
from tests.developers.outbound.conftest import SLOTS
from tests.developers.outbound.servers import response, serving
from tests.developers.outbound.views.pages import GET, PAGE

pytestmark = pytest.mark.matrix

NOWHERE = Recipe("GET", "nowhere")
ALICE, BOB, CAROL, DAVE = range(1, 5)


def call(owner: User, recipe: Recipe = NOWHERE) -> running.Run:
    return running.try_out(owner, "Weather", recipe, {}, client=LAPTOP)


def is_refused(slots: CallSlots, owner_id: int) -> bool:
    try:
        with slots.hold(owner_id):
            return False
    except NoFreeSlot:
        return True


@contextmanager
def all_places_taken() -> Iterator[None]:
    """Take all places for accounts that are not in the database."""
    with ExitStack() as stack:
        for number in range(SLOTS):
            stack.enter_context(concurrency.call_slots.hold(-number))
        yield


# Places


@pytest.mark.parametrize(("threads", "places"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (8, 4), (32, 16)])
def test_outbound_calls_leave_half_of_the_threads_to_pages_and_the_api(threads: int, places: int) -> None:
    assert concurrency.slots_for(threads) == places


def test_with_six_threads_two_accounts_that_call_slow_servers_leave_a_slot_for_a_third() -> None:
    slots = CallSlots(concurrency.slots_for(6))

    with slots.hold(ALICE), slots.hold(BOB):
        refused = [is_refused(slots, CAROL) for _ in range(33)]

    assert refused == [False] * 33


def test_a_third_account_gets_a_slot_before_anybodys_second(settings: Settings) -> None:
    slots = CallSlots(concurrency.slots_for(settings.THREADS))
    with slots.hold(BOB):
        with slots.hold(ALICE):
            assert is_refused(slots, CAROL)
        # Alice always asks first for the place that she leaves.
        assert [is_refused(slots, ALICE) for _ in range(3)] == [True] * 3
        assert not is_refused(slots, CAROL)
        assert not is_refused(slots, ALICE)


def test_accounts_get_slots_in_turn_however_often_each_asks() -> None:
    slots = CallSlots(1)
    accounts = [ALICE, BOB, CAROL, DAVE]
    calls: list[int] = []

    for _ in range(8):
        with ExitStack() as stack:
            # Alice asks first, and five times as often.
            for account in [ALICE, *accounts, ALICE, *reversed(accounts), ALICE]:
                try:
                    stack.enter_context(slots.hold(account))
                except NoFreeSlot:
                    continue
                calls.append(account)

    assert sorted(calls[:4]) == sorted(calls[4:]) == accounts


def test_of_accounts_without_a_call_the_first_to_ask_comes_first() -> None:
    slots = CallSlots(1)

    with slots.hold(ALICE):
        asked = [is_refused(slots, account) for account in (BOB, CAROL, BOB)]

    assert asked == [True] * 3
    assert [is_refused(slots, account) for account in (CAROL, BOB, CAROL)] == [True, False, False]


def test_an_account_that_stops_asking_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "SECONDS_WAITING", 0)
    slots = CallSlots(1)

    with slots.hold(ALICE):
        assert is_refused(slots, BOB)

    assert not is_refused(slots, ALICE)


def test_accounts_that_called_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "MOST_REMEMBERED", 2)
    slots = CallSlots(1)

    assert not any(is_refused(slots, account) for account in (ALICE, BOB, CAROL, ALICE, BOB))
    assert len(slots._last_held) == 2


def test_as_many_call_at_once_as_there_are_slots() -> None:
    slots, start, end = CallSlots(3), Barrier(8), Barrier(8)

    def ask(account: int) -> bool:
        start.wait(60)
        with ExitStack() as stack:
            try:
                stack.enter_context(slots.hold(account))
            except NoFreeSlot:
                return False
            finally:
                end.wait(60)
            return True

    with ThreadPoolExecutor(8) as threads:
        have_called = list(threads.map(ask, range(8)))

    assert sum(have_called) == 3


# Turns


def test_an_account_has_one_call_at_a_time(alice: User, bob: User, loopback: None) -> None:
    with concurrency.hold_slot(alice.pk):
        with pytest.raises(NoFreeSlot, match="Another call of yours is under way"):
            call(alice)
        with serving(response(b'"bob"')) as server:
            assert call(bob, Recipe("GET", server.url)).response.data == "bob"
    with serving(response(b'"alice"')) as server:
        assert call(alice, Recipe("GET", server.url)).response.data == "alice"


def test_an_account_has_one_call_at_a_time_in_all_processes(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with concurrency.hold_slot(alice.pk):
        monkeypatch.setattr(concurrency, "call_slots", CallSlots(1))
        with pytest.raises(NoFreeSlot, match="Another call of yours is under way"):
            call(alice)

    assert not cache.get(f"outbound.turn:{alice.pk}")
    call(alice)


def test_a_refused_call_is_not_counted_and_writes_nothing(alice: User, settings: Settings) -> None:
    settings.OUTBOUND_RATE_LIMIT = 1
    with all_places_taken(), CaptureQueriesContext(connection) as queries:
        for _ in range(33):
            with pytest.raises(NoFreeSlot, match="The server is busy with other calls"):
                call(alice)

    assert not queries.captured_queries
    assert not Counter.objects.exists()
    assert not CachedValue.objects.exists()
    assert not ApiLog.objects.exists()
    call(alice)


def test_a_call_beyond_the_rate_limit_writes_nothing_and_frees_its_slot(alice: User, settings: Settings) -> None:
    settings.OUTBOUND_RATE_LIMIT = 1
    call(alice)

    with CaptureQueriesContext(connection) as queries:
        for _ in range(SLOTS + 1):
            with pytest.raises(TooManyCalls):
                call(alice)

    assert {query["sql"].split()[0] for query in queries.captured_queries} == {"SELECT"}
    assert ApiLog.objects.count() == 1


def test_calls_are_counted_by_account_and_minute(alice: User, bob: User, settings: Settings) -> None:
    settings.OUTBOUND_RATE_LIMIT = 2
    for _ in range(2):
        call(alice)

    with pytest.raises(TooManyCalls, match=r"Too many calls within a minute\. Try again in \d+ seconds\.") as caught:
        call(alice)
    assert 0 < caught.value.seconds <= concurrency.WINDOW
    call(bob)
    Counter.objects.update(ends_at=F("ends_at") - concurrency.WINDOW * 1000)
    call(alice)


def test_a_call_that_another_process_has_counted_meanwhile_is_refused(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_RATE_LIMIT = 1
    monkeypatch.setattr(Limit, "is_free", lambda limit: bool(limit.take()))

    with pytest.raises(TooManyCalls):
        call(alice)

    assert not CachedValue.objects.exists()


def test_a_call_that_cannot_be_filled_is_counted_like_others(alice: User, settings: Settings) -> None:
    settings.OUTBOUND_RATE_LIMIT = 1
    unfillable = Recipe("GET", "https://api.example.com/{{city}}")

    with pytest.raises(Unfillable):
        call(alice, unfillable)
    with pytest.raises(TooManyCalls):
        call(alice, unfillable)

    assert ApiLog.objects.count() == 1


def test_a_test_on_the_page_without_a_free_slot_is_429_at_once(alice: User) -> None:
    browser = logged_in(alice)

    with all_places_taken():
        refused = browser.post(f"{PAGE}new/test/", GET | {"url": "http://10.0.0.1"})

    assert (refused.status_code, refused["Retry-After"]) == (429, "1")
    assert not Counter.objects.exists()
