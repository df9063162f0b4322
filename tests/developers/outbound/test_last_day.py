"""The bar of the last 24 hours."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from developers.outbound.last_day import HEIGHT, CallOutcome, LastDay, _pieces, last_day, outcome_of
from developers.outbound.models import ApiLog, OutboundApi

NOW = datetime(2026, 11, 30, 16, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _at_a_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def add(owner: User, sent_at: datetime, status: int | None = 200, **columns: OutboundApi) -> None:
    ApiLog.objects.create(owner=owner, api_name="Orders", sent_at=sent_at, status=status, **columns)


def day_of(owner: User) -> LastDay:
    return last_day(ApiLog.objects.owned_by(owner))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "worked"),
        (299, "worked"),
        (400, "refused"),
        (499, "refused"),
        (500, "failed"),
        (100, "failed"),
        (301, "failed"),
        (999, "failed"),
        (None, "none"),
    ],
)
def test_each_status_is_one_outcome(status: int | None, outcome: str) -> None:
    assert outcome_of(status) == outcome


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("UTC", "2026-11-29T17:00"),
        ("Asia/Kolkata", "2026-11-29T16:30"),
        ("Asia/Kathmandu", "2026-11-29T17:15"),
        ("America/St_Johns", "2026-11-29T16:30"),
        ("Pacific/Chatham", "2026-11-29T17:15"),
    ],
)
def test_the_hours_are_those_of_the_persons_clock(alice: User, bob: User, zone: str, start: str) -> None:
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    for sent_at in (first - MINUTE, first, first + 59 * MINUTE, first + 60 * MINUTE, NOW, NOW + MINUTE):
        add(alice, sent_at)
    add(bob, first)

    with timezone.override(ZoneInfo(zone)):
        day = day_of(alice)

    assert [hour.start for hour in day.hours] == [first + number * timedelta(hours=1) for number in range(24)]
    assert [hour.counts.total() for hour in day.hours] == [2, 1, *[0] * 21, 2]
    assert [hour.start.minute for hour in day.hours] == [0] * 24
    assert [hour.value for hour in day.busy] == [hour.value for hour in (day.hours[23], day.hours[1], day.hours[0])]
    assert dict(day.totals) == {"worked": 5, "refused": 0, "failed": 0, "none": 0}


def test_no_hour_is_missing_or_doubled_where_clocks_are_set_back(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 10, 25, 12, 20, tzinfo=UTC))
    for hour in range(24):
        add(alice, datetime(2026, 10, 24, 13, 10, tzinfo=UTC) + timedelta(hours=hour))

    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert [hour.counts.total() for hour in day_of(alice).hours] == [1] * 24


def test_a_call_of_a_clock_that_is_ahead_counts_in_this_hour(alice: User) -> None:
    add(alice, NOW + timedelta(hours=2))

    assert day_of(alice).hours[-1].counts == {"worked": 1}


def test_the_outcomes_of_an_hour_stand_on_each_other(alice: User, weather: OutboundApi) -> None:
    for status in (200, 201, 404, 500, None):
        add(alice, NOW, status)
    add(alice, NOW, 200, api=weather)
    add(alice, NOW - timedelta(hours=1), 404)

    hours = day_of(alice).hours

    assert hours[-1].counts == {"worked": 3, "refused": 1, "failed": 1, "none": 1}
    assert [(piece.outcome, piece.y, piece.height) for piece in hours[-1].pieces] == [
        ("worked", 34, 26),
        ("refused", 26, 8),
        ("failed", 18, 8),
        ("none", 10, 8),
    ]
    assert [(piece.outcome, piece.y, piece.height) for piece in hours[-2].pieces] == [("refused", 52, 8)]
    assert [hour.pieces for hour in hours[:-2]] == [[]] * 22
    assert last_day(ApiLog.objects.filter(api=weather)).totals[0] == ("worked", 1)


def test_without_calls_there_is_no_bar(alice: User) -> None:
    day = day_of(alice)

    assert (day.busy, [hour.pieces for hour in day.hours]) == ([], [[]] * 24)


@pytest.mark.matrix
@given(numbers=st.lists(st.integers(0, 10**6), min_size=4, max_size=4), more=st.integers(0, 10**6))
def test_the_pieces_of_an_hour_fit_and_each_is_seen(numbers: list[int], more: int) -> None:
    counts = Counter(dict(zip(CallOutcome, numbers, strict=True)))

    pieces = list(_pieces(counts, counts.total() + more))

    assert [piece.outcome for piece in pieces] == [outcome for outcome in CallOutcome if counts[outcome]]
    assert all(piece.height >= 2 for piece in pieces)
    assert [piece.y + piece.height for piece in pieces] == [HEIGHT, *(piece.y for piece in pieces)][: len(pieces)]
    assert sum(piece.height for piece in pieces) <= HEIGHT
