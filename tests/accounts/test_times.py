from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.templatetags import times

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
def test_ago_has_the_largest_unit(passed: timedelta, words: str) -> None:
    assert times.ago(NOW - passed).replace("\xa0", " ") == words


@pytest.mark.parametrize(
    ("at", "clock", "with_day", "in_sentence"),
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
def test_days_are_those_of_the_persons_time_zone(at: datetime, clock: str, with_day: str, in_sentence: str) -> None:
    with timezone.override("Europe/Berlin"):
        written = (times.clock(at), times.day_and_clock(at), times.at_clock(at))

    assert written == (clock, with_day, in_sentence)


@pytest.mark.parametrize(
    ("zone", "at", "clocks"),
    [
        ("Europe/Berlin", datetime(2026, 10, 25, 0, 59, tzinfo=UTC), ["25 Oct, 02:59 CEST", "25 Oct, 02:59 CET"]),
        ("Europe/Berlin", datetime(2026, 10, 24, 23, 59, tzinfo=UTC), ["25 Oct, 01:59", "25 Oct, 02:59 CEST"]),
        ("Europe/Berlin", datetime(2026, 3, 29, 0, 59, tzinfo=UTC), ["29 Mar, 01:59", "29 Mar, 03:59"]),
        ("America/New_York", datetime(2026, 11, 1, 5, 30, tzinfo=UTC), ["1 Nov, 01:30 EDT", "1 Nov, 01:30 EST"]),
        ("America/New_York", datetime(2026, 11, 1, 6, 59, tzinfo=UTC), ["1 Nov, 01:59 EST", "1 Nov, 02:59"]),
        # Its clocks are put back by half an hour.
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 14, 30, tzinfo=UTC), ["5 Apr, 01:30 +11", "5 Apr, 02:00"]),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, 0, tzinfo=UTC), ["5 Apr, 01:30 +1030", "5 Apr, 02:30"]),
        ("Asia/Kathmandu", datetime(2026, 10, 25, 0, 59, tzinfo=UTC), ["25 Oct, 06:44", "25 Oct, 07:44"]),
    ],
)
def test_a_time_that_comes_twice_has_its_zone(zone: str, at: datetime, clocks: list[str]) -> None:
    with timezone.override(zone):
        written = [times.clock(at), times.clock(at + timedelta(hours=1))]
        exact = times.exact(at)

    assert written == clocks
    assert exact.endswith(f":00 {at.astimezone(ZoneInfo(zone)).tzname()}")


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        # Days of 25 hours, of 23 and of 24 and a half.
        ("Europe/Berlin", datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 22, 59, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 9, 3, 59, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 13, tzinfo=UTC), datetime(2026, 4, 5, 13, 29, tzinfo=UTC)),
    ],
)
def test_today_is_as_long_as_the_day_on_which_clocks_are_changed(
    monkeypatch: pytest.MonkeyPatch, zone: str, first: datetime, last: datetime
) -> None:
    minute = timedelta(minutes=1)
    for now in (first, last):
        monkeypatch.setattr(timezone, "now", lambda now=now: now)
        with timezone.override(zone):
            written = [times.day_and_clock(at) for at in (first - minute, first, last, last + minute)]

        assert written[1:3] == ["today, 00:00", "today, 23:59"]
        assert [words.startswith("today") for words in written] == [False, True, True, False]


@pytest.mark.parametrize(
    ("zone", "exact"),
    [
        ("UTC", "24 November 2026, 13:02:09 UTC"),
        ("Europe/Berlin", "24 November 2026, 14:02:09 CET"),
        ("Asia/Kolkata", "24 November 2026, 18:32:09 IST"),
    ],
)
def test_exact_has_the_second_and_the_zone(zone: str, exact: str) -> None:
    with timezone.override(zone):
        assert times.exact(NOW) == exact


@pytest.mark.parametrize(("user_agent", "name"), [(None, ""), ("", ""), ("curl/8.5.0", "curl 8.5")])
def test_a_client_is_named_by_its_program(user_agent: str | None, name: str) -> None:
    assert times.client(user_agent) == name
