"""Uses of tokens in the database: several processes add to the same rows, within bounds."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.orm import best_effort, bulk
from accounts.orm.batches import delete_with_referrers
from developers import program_uses
from developers.bearer.use_counts import Count, Counts, OwnersUse
from developers.models import TokenUse
from developers.program_uses import programs_of, write
from developers.programs import OTHERS, UNNAMED, UseKey
from tests.developers.bearer.requests import failing_on

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = NOON.date()


@pytest.fixture(autouse=True)
def without_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "rest", lambda _: None)


def key(owner: User, program: str = "curl", address: str = "192.0.2.1", **more: Any) -> OwnersUse:
    use = UseKey(program, address, more.get("generation", 1), more.get("is_refused", False))
    return OwnersUse(owner.pk, more.get("day", DAY), use)


def count(number: int = 1, minutes: tuple[float, float] = (0, 0)) -> Count:
    first, last = (NOON.timestamp() + 60 * each for each in minutes)
    return Count(number, first, last)


def make(owner: User, program: str, address: str = "192.0.2.1", at: datetime | None = None, **more: Any) -> None:
    at = at or timezone.now()
    row = {"generation": 1, "is_refused": False, "count": 1, "first_at": at, "last_at": at, "day": at.date()} | more
    TokenUse.objects.create(user=owner, program=program, address=address, **row)


def test_counts_of_several_processes_add_up(alice: User) -> None:
    use = key(alice)

    left = [write({use: count(2, (1, 5))}), write({use: count(3, (0, 2))}), write({use: count(1, (3, 9))})]

    row = TokenUse.objects.get()
    assert left == [{}] * 3
    assert (row.user, row.day, row.program, row.address) == (alice, DAY, "curl", "192.0.2.1")
    assert (row.generation, row.is_refused, row.count) == (1, False, 6)
    assert (row.first_at, row.last_at) == (NOON, NOON + timedelta(minutes=9))
    assert str(row) == "curl, 2026-11-30"


def test_days_owners_tokens_and_outcomes_are_rows_of_their_own(alice: User, bob: User) -> None:
    uses = [
        key(alice),
        key(alice, day=DAY - timedelta(days=1)),
        key(alice, generation=2),
        key(alice, is_refused=True),
        key(alice, "n8n"),
        key(alice, address="192.0.2.2"),
        key(bob),
    ]

    assert write({use: count() for use in uses}) == {}

    assert TokenUse.objects.filter(count=1).count() == len(uses)


def test_a_clock_that_was_set_back_is_no_error(alice: User) -> None:
    assert write({key(alice): count(2, (5, 1))}) == {}

    row = TokenUse.objects.get()
    assert (row.count, row.first_at) == (2, row.last_at)


def test_the_counts_of_a_deleted_account_are_dropped(alice: User, bob: User) -> None:
    uses = {key(alice): count(), key(bob): count()}
    User.objects.filter(pk=alice.pk).delete()

    left = write(uses)

    assert left == {}
    assert set(TokenUse.objects.values_list("user", flat=True)) == {bob.pk}


def test_deleting_an_account_deletes_its_uses(alice: User, bob: User) -> None:
    write({key(alice): count(), key(bob): count()})

    sum(delete_with_referrers(User.objects.filter(pk=alice.pk)))

    assert set(TokenUse.objects.values_list("user", flat=True)) == {bob.pk}


def test_of_a_thousand_programs_fifty_are_kept_apart(alice: User) -> None:
    many = {key(alice, f"p{number:05}", f"192.0.2.{number % 200}"): count() for number in range(1_000)}

    left = write(many)
    again = write({key(alice, f"q{number}"): count() for number in range(10)})

    assert (left, again) == ({}, {})
    assert sum(TokenUse.objects.values_list("count", flat=True)) == 1_010
    assert TokenUse.objects.exclude(program=OTHERS).values("program").distinct().count() == 50
    assert TokenUse.objects.count() <= 50 + 21


def test_two_processes_together_stay_within_the_bounds(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process adds to the day after this one has read it."""
    seen_of, others = program_uses._seen_of, [{key(alice, f"other{number}"): count() for number in range(50)}]

    def read_before_another(counts: Counts) -> Any:
        found = seen_of(counts)
        if others:
            write(others.pop())
        return found

    monkeypatch.setattr(program_uses, "_seen_of", read_before_another)

    left = write({key(alice, f"mine{number}"): count() for number in range(50)})

    assert left == {}
    assert dict(TokenUse.objects.filter(program=OTHERS).values_list("program", "count")) == {OTHERS: 50}
    assert TokenUse.objects.count() == 51


def test_what_others_always_change_first_waits(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    seen_of = program_uses._seen_of

    def read_before_another(counts: Counts) -> Any:
        found = seen_of(counts)
        make(alice, f"other{TokenUse.objects.count()}", at=NOON)
        return found

    monkeypatch.setattr(program_uses, "_seen_of", read_before_another)

    left = write({key(alice): count(7), key(bob): count()})

    assert left == {key(alice): count(7)}
    assert TokenUse.objects.get(user=bob).count == 1


def test_each_owner_has_days_of_their_own(alice: User, bob: User) -> None:
    today, yesterday = key(alice), key(bob, day=DAY - timedelta(days=1))
    for owner in (alice, bob):
        for day in (DAY, DAY - timedelta(days=1)):
            make(owner, "n8n", at=NOON, day=day)

    left = write({today: count(2), yesterday: count(3)})

    assert (left, write({})) == ({}, {})
    added = TokenUse.objects.filter(program="curl").order_by("count").values_list("user", "day", "count")
    assert list(added) == [(alice.pk, DAY, 2), (bob.pk, DAY - timedelta(days=1), 3)]


def test_a_transaction_has_few_rows_and_owners(alice: User, bob: User) -> None:
    of_one = program_uses._batches(sorted(key(alice, f"p{number}") for number in range(250)))
    of_many = program_uses._batches([key(User(pk=number)) for number in range(50)])

    assert [len(batch) for batch in of_one] == [100, 100, 50]
    assert [len(batch) for batch in of_many] == [10] * 5


@pytest.mark.parametrize("verb", ["INSERT", "SELECT"])
def test_a_database_that_refuses_loses_nothing(
    alice: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    uses = {key(alice): count(3)}

    with connection.execute_wrapper(failing_on(verb)):
        left = write(dict(uses))
    reported = list(caplog.messages)
    monkeypatch.setattr(best_effort, "backoff", best_effort.Backoff())
    again = write(left)

    assert (left, again) == (uses, {})
    assert TokenUse.objects.get().count == 3
    [message] = reported
    assert message.startswith(("The last minute of uses of tokens was not", "Uses of tokens were not recorded yet"))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"count": 0}, "counts_from_one"),
        ({"last_at": NOON - timedelta(seconds=1)}, "first_before_last"),
        ({}, "once_a_day|developers_tokenuse.user_id"),
    ],
)
def test_the_database_refuses_rows_that_cannot_be(alice: User, change: dict[str, Any], name: str) -> None:
    make(alice, "curl", at=NOON)

    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        make(alice, "n8n" if change else "curl", at=NOON, **change)


def test_programs_are_listed_with_their_addresses_the_last_used_first(alice: User, bob: User) -> None:
    now = timezone.now()
    hour, days = timedelta(hours=1), timedelta(days=1)
    make(alice, "n8n", "192.0.2.1", now - 3 * days, count=5)
    make(alice, "n8n", "192.0.2.1", now - 2 * hour, is_refused=True, count=12)
    make(alice, "n8n", "192.0.2.2", now - 3 * hour, generation=2)
    make(alice, "n8n", "192.0.2.2", now - hour, generation=3, count=4)
    make(alice, UNNAMED, UNNAMED, now - 4 * days)
    make(alice, "gone", at=now - 36 * days)
    make(bob, "hers", at=now)

    n8n, unnamed = programs_of(alice.pk, 3)

    assert (n8n.title, n8n.accepted, n8n.refused) == ("n8n", 10, 12)
    assert (n8n.first_at, n8n.last_at) == (now - 3 * days, now - hour)
    assert (n8n.current_since, n8n.last_refused_at) == (now - hour, now - 2 * hour)
    moved, stays = n8n.addresses
    assert (moved.title, moved.accepted, moved.refused, moved.current_since) == ("192.0.2.2", 5, 0, now - hour)
    assert (stays.title, stays.accepted, stays.refused) == ("192.0.2.1", 5, 12)
    assert (stays.current_since, stays.last_refused_at) == (None, now - 2 * hour)
    assert (unnamed.title, unnamed.name, unnamed.addresses[0].title) == ("Unnamed program", "", "Unknown address")


def test_the_list_is_bounded(
    alice: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable[[int], Any]
) -> None:
    monkeypatch.setattr(program_uses, "MOST_PROGRAMS", 3)
    monkeypatch.setattr(program_uses, "MOST_ADDRESSES", 2)
    now = timezone.now()
    for number in range(20):
        make(alice, f"p{number // 4}", f"192.0.2.{number}", now - timedelta(minutes=number), day=now.date())

    with django_assert_num_queries(3):
        found = programs_of(alice.pk, 1)

    assert [(each.name, each.accepted) for each in found] == [("p0", 4), ("p1", 4), ("p2", 4)]
    assert [[place.name for place in each.addresses] for each in found] == [
        ["192.0.2.0", "192.0.2.1"],
        ["192.0.2.4", "192.0.2.5"],
        ["192.0.2.8", "192.0.2.9"],
    ]


def test_of_many_addresses_of_a_program_the_last_twenty_are_listed(alice: User) -> None:
    now = timezone.now()
    for number in range(25):
        make(alice, "curl", f"192.0.2.{number}", now - timedelta(minutes=number), day=now.date())

    [curl] = programs_of(alice.pk, 1)

    assert [each.name for each in curl.addresses] == [f"192.0.2.{number}" for number in range(20)]
    assert curl.accepted == 25


def test_uses_are_kept_for_35_days(alice: User) -> None:
    now = timezone.now()
    for age in (0, 34, 35, 50):
        make(alice, f"{age} days", at=now - timedelta(days=age))

    deleted = sum(program_uses.prune())

    assert deleted == 2
    assert sorted(TokenUse.objects.values_list("program", flat=True)) == ["0 days", "34 days"]
    assert {each.name for each in programs_of(alice.pk, 1)} == {"0 days", "34 days"}


def test_the_day_is_that_of_utc(alice: User) -> None:
    assert date(2026, 11, 30) == DAY == NOON.date()
    assert write({key(alice): count()}) == {}
    assert TokenUse.objects.get().day == TokenUse.objects.get().first_at.date()
