"""Uses of tokens are counted in memory, within bounds, and written by a timer and at a stop."""

from collections.abc import Callable
from datetime import date
from functools import partial
from multiprocessing import util
from threading import Event, Thread

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.orm import best_effort
from developers import issuance
from developers.bearer import use_counts, verification
from developers.bearer.use_counts import Counts, OwnersUse, UseCounts
from developers.models import RevokedToken, TokenUse
from developers.programs import OTHERS, UseKey
from tests.cast import PHONE, token_text
from tests.developers.bearer.requests import bearing, failing_on, refusal


class Written:
    """Takes what is written; raises the errors that it was given, one a time."""

    def __init__(self, *errors: Exception) -> None:
        self.counts: list[Counts] = []
        self.errors = list(errors)
        self.has_come = Event()

    def __call__(self, counts: Counts) -> Counts:
        self.counts.append(counts)
        if self.errors:
            raise self.errors.pop()
        self.has_come.set()
        return {}

    def numbers(self) -> dict[UseKey, int]:
        return {use.use: count.number for counts in self.counts for use, count in counts.items()}


def add(counts: UseCounts, agent: str = "curl/8.5", address: str = "192.0.2.1", owner: int = 1, **more: int) -> None:
    meta = {"HTTP_USER_AGENT": agent, "REMOTE_ADDR": address}
    counts.add(owner, more.get("generation", 1), meta, is_refused=bool(more.get("refused")))


def rows() -> list[tuple[object, ...]]:
    return list(
        TokenUse.objects.order_by("generation", "is_refused", "program").values_list(
            "user", "program", "address", "generation", "is_refused", "count"
        )
    )


def test_accepted_and_refused_calls_are_counted_by_program_and_address(alice: User, bob: User) -> None:
    old = token_text(alice)
    for agent in ("n8n/1.0", "n8n/1.1", "curl/8"):
        verification.check(bearing(f"Bearer {old}", user_agent=agent))
    issuance.revoke(alice, 1, PHONE, even_if_used=True)
    for _ in range(2):
        refusal(bearing(f"Bearer {old}", user_agent="n8n/1.0"))
    verification.check(bearing(f"Bearer {token_text(alice)}", user_agent="curl/8"))
    verification.check(bearing(f"Bearer {token_text(bob)}"))
    before = rows()

    verification.use_counts.flush()

    assert before == []
    assert rows() == [
        (bob.pk, "", "127.0.0.1", 1, False, 1),
        (alice.pk, "curl", "127.0.0.1", 1, False, 1),
        (alice.pk, "n8n", "127.0.0.1", 1, False, 2),
        (alice.pk, "n8n", "127.0.0.1", 1, True, 2),
        (alice.pk, "curl", "127.0.0.1", 2, False, 1),
    ]


def test_a_burst_of_refusals_is_in_the_total_of_its_token_after_the_flush(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = token_text(alice)
    issuance.revoke(alice, 1, PHONE, even_if_used=True)
    for number in range(5):
        refusal(bearing(f"Bearer {old}", user_agent=f"n8n/1.{number}"))
    totals = RevokedToken.objects.values_list("refused_count", "last_refused_client")
    before = totals.get()

    with connection.execute_wrapper(failing_on("UPDATE")):
        verification.use_counts.flush()
    monkeypatch.setattr(best_effort, "backoff", best_effort.Backoff())
    while_refused = totals.get()
    refusal(bearing(f"Bearer {old}", user_agent="n8n/1.5"))
    verification.use_counts.flush()

    assert (before, while_refused, totals.get()) == ((1, "n8n/1.0"), (1, "n8n/1.0"), (6, "n8n/1.5"))


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", f"Bearer bpat_{'0' * 46}"])
def test_a_call_without_a_token_of_somebody_counts_for_nobody(db: None, authorization: str | None) -> None:
    refusal(bearing(authorization))

    verification.use_counts.flush()

    assert rows() == []


def test_a_disabled_account_uses_nothing(alice: User) -> None:
    User.objects.update(is_active=False)

    refusal(bearing(f"Bearer {token_text(alice)}"))

    verification.use_counts.flush()
    assert rows() == []


def test_a_call_is_read_once_and_nothing_is_written_before_the_flush(alice: User) -> None:
    token = token_text(alice)
    verification.check(bearing(f"Bearer {token}"))

    with CaptureQueriesContext(connection) as queries:
        for number in range(5):
            verification.check(bearing(f"Bearer {token}", user_agent=f"program{number}/1"))

    assert [query["sql"].split()[0] for query in queries] == ["SELECT"] * 5


def test_the_times_are_those_of_the_first_and_the_last_call(monkeypatch: pytest.MonkeyPatch) -> None:
    written = Written()
    counts = UseCounts(written)
    for now in (100.0, 160.0, 86_399.0):
        monkeypatch.setattr("time.time", partial(float, now))
        add(counts)

    counts.flush()

    [[(use, count)]] = [found.items() for found in written.counts]
    assert use == OwnersUse(1, date(1970, 1, 1), UseKey("curl", "192.0.2.1", 1, False))
    assert (count.number, count.first_at, count.last_at) == (3, 100.0, 86_399.0)


def test_nothing_is_written_where_nothing_was_counted() -> None:
    written = Written()
    counts = UseCounts(written)
    add(counts)

    for _ in range(3):
        counts.flush()

    assert len(written.counts) == 1


def test_what_was_not_written_is_kept_for_the_next_time() -> None:
    written, left = Written(), list[Counts]()

    def write(counts: Counts) -> Counts:
        if not left:
            left.append(counts)
            # Calls go on meanwhile.
            add(counts_of_process)
            return counts
        return written(counts)

    counts_of_process = UseCounts(write)
    add(counts_of_process)
    add(counts_of_process, "n8n/1")

    counts_of_process.flush()
    counts_of_process.flush()

    curl, n8n = (UseKey(program, "192.0.2.1", 1, False) for program in ("curl", "n8n"))
    assert written.numbers() == {curl: 2, n8n: 1}


def test_a_thousand_user_agents_of_one_owner_fill_nothing() -> None:
    written = Written()
    counts = UseCounts(written)

    for number in range(1_000):
        add(counts, f"program-{number:05}/1.0", f"2001:db8:0:{number % 100:x}::1")
    add(counts, owner=2)
    counts.flush()

    numbers = written.numbers()
    assert sum(numbers.values()) == 1_001
    assert len({use.program for use in numbers} - {OTHERS, "curl"}) == 50
    assert len(numbers) < 100
    assert numbers[UseKey("curl", "192.0.2.1", 1, False)] == 1


def test_memory_is_bounded_whatever_the_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_counts, "MOST_COUNTS", 5)
    monkeypatch.setattr(use_counts, "MOST_CLIENTS", 3)
    written = Written()
    counts = UseCounts(written)

    for _ in range(2):
        for owner in range(20):
            add(counts, owner=owner)
        kept = len(counts._by_client)
    counts.flush()

    assert kept <= 3
    # Those that were there first go on counting.
    assert [(use.owner_id, count.number) for use, count in written.counts[0].items()] == [(n, 2) for n in range(5)]


def test_an_owner_with_too_many_tokens_in_a_day_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("developers.programs.MOST_ROWS", 2)
    monkeypatch.setattr("developers.programs.MOST_ROWS_OF_OTHERS", 1)
    written = Written()
    counts = UseCounts(written)

    for generation in range(1, 9):
        add(counts, generation=generation)
    counts.flush()

    assert [use.generation for use in written.numbers()] == [1, 2, 3]


def test_many_threads_lose_no_call() -> None:
    written = Written()
    counts = UseCounts(written)

    def call() -> None:
        for _ in range(500):
            add(counts)

    threads = [Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        counts.flush()
    counts.flush()

    assert sum(count.number for each in written.counts for count in each.values()) == 8 * 500


@pytest.fixture
def finalizers(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What runs at the end of this process, instead of there."""
    registered = list[Callable[[], None]]()
    monkeypatch.setattr(use_counts, "Finalize", lambda _, stop, exitpriority: registered.append(stop))
    return registered


def test_a_serving_process_writes_by_itself_and_the_rest_when_it_ends(
    monkeypatch: pytest.MonkeyPatch, finalizers: list[Callable[[], None]], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(use_counts.Timing, "is_on", True)
    written = Written(ValueError("a bug"))
    counts = UseCounts(written, seconds=0.001)

    add(counts)
    while not written.counts:
        Event().wait(0.001)
    add(counts, "n8n/1")
    assert written.has_come.wait(60)
    counts._seconds = 600
    add(counts, "okhttp/4")
    [stop] = finalizers
    stop()
    assert counts._timer
    counts._timer.join(60)

    assert not counts._timer.is_alive()
    assert {use.program for use in written.numbers()} == {"curl", "n8n", "okhttp"}
    assert caplog.messages == ["Uses of tokens were not written."]


def test_a_process_that_only_runs_commands_has_no_timer() -> None:
    counts = UseCounts(Written())

    add(counts)

    assert counts._timer is None


def test_a_stop_does_not_fail_where_the_database_does(caplog: pytest.LogCaptureFixture) -> None:
    counts = UseCounts(Written(OperationalError("gone")))
    add(counts)

    counts.stop()

    assert caplog.messages == ["Uses of tokens were not written."]


def test_the_end_of_a_process_runs_what_was_registered() -> None:
    """`Finalize` without an object runs at the end of the processes of multiprocessing, and of others."""
    done = list[int]()
    finalizer = util.Finalize(None, done.append, (1,), exitpriority=0)

    util._run_finalizers(0)  # type: ignore[attr-defined]

    assert done == [1]
    assert not finalizer.still_active()
