from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.templatetags import moments

NOW = datetime(2026, 11, 24, 13, 2, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-30), "Just now"),
        (timedelta(seconds=59), "Just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=39, seconds=59), "39 minutes ago"),
        (timedelta(hours=5, minutes=20), "5 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=400), "1 year ago"),
    ],
)
def test_ago_tells_the_largest_unit(passed: timedelta, words: str) -> None:
    assert moments.ago(NOW - passed).replace("\xa0", " ") == words


@pytest.mark.parametrize(
    ("moment", "clock", "with_day", "in_sentence"),
    [
        (NOW, "14:02", "today, 14:02", "today at 14:02"),
        (datetime(2026, 11, 23, 23, 30, tzinfo=UTC), "00:30", "today, 00:30", "today at 00:30"),
        (datetime(2026, 11, 23, 22, 30, tzinfo=UTC), "23 Nov, 23:30", "23 Nov, 23:30", "on 23 Nov, 23:30"),
        (
            datetime(2025, 12, 31, 22, 0, tzinfo=UTC),
            "31 Dec 2025, 23:00",
            "31 Dec 2025, 23:00",
            "on 31 Dec 2025, 23:00",
        ),
        (datetime(2025, 12, 31, 23, 0, tzinfo=UTC), "1 Jan, 00:00", "1 Jan, 00:00", "on 1 Jan, 00:00"),
    ],
)
def test_days_are_those_of_the_persons_time_zone(moment: datetime, clock: str, with_day: str, in_sentence: str) -> None:
    with timezone.override("Europe/Berlin"):
        told = (moments.clock(moment), moments.day_and_clock(moment), moments.at_clock(moment))

    assert told == (clock, with_day, in_sentence)


@pytest.mark.parametrize(
    ("zone", "exact"),
    [
        ("UTC", "24 November 2026, 13:02:09 UTC"),
        ("Europe/Berlin", "24 November 2026, 14:02:09 CET"),
        ("Asia/Kolkata", "24 November 2026, 18:32:09 IST"),
    ],
)
def test_exact_tells_the_second_and_the_zone(zone: str, exact: str) -> None:
    with timezone.override(zone):
        assert moments.exact(NOW) == exact


@pytest.mark.parametrize(("user_agent", "name"), [(None, ""), ("", ""), ("curl/8.5.0", "curl 8.5")])
def test_a_client_is_told_by_its_program(user_agent: str | None, name: str) -> None:
    assert moments.client(user_agent) == name
