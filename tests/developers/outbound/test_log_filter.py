"""The filter of API Logs: what an address may ask for, and which logs it finds."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from accounts.models import User
from developers.outbound import api_deletion, log_filter
from developers.outbound.call_lists import logs_of
from developers.outbound.log_filter import LogFilter, hour_value
from developers.outbound.models import ApiLog, OutboundApi

pytestmark = pytest.mark.matrix

NOW = datetime(2026, 11, 30, 16, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_a_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def asking(owner: User, **asked: str) -> LogFilter:
    return LogFilter(QueryDict(urlencode(asked)), owner)


def found(form: LogFilter) -> list[str]:
    return [log.api_name for log in form.apply(logs_of(form.owner)).order_by("pk")]


def add(owner: User, *names: Any, **columns: Any) -> None:
    for name in names:
        ApiLog.objects.create(owner=owner, api_name=str(name), **({"sent_at": NOW} | columns))


def log_each_status(owner: User) -> None:
    for status in (200, 204, 299, 301, 400, 404, 499, 500, 503, 600, None):
        add(owner, status, status=status)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("2xx", ["200", "204", "299"]),
        ("2XX", ["200", "204", "299"]),
        ("3xx", ["301"]),
        ("4xx", ["400", "404", "499"]),
        ("5xx", ["500", "503"]),
        ("404", ["404"]),
        (" 4\u200b04 ", ["404"]),
        ("\uff14\uff10\uff14", ["404"]),
        ("600", ["600"]),
        ("418", []),
        ("none", ["None"]),
        ("", ["200", "204", "299", "301", "400", "404", "499", "500", "503", "600", "None"]),
    ],
)
def test_a_class_or_a_status_finds_its_calls(alice: User, bob: User, asked: str, names: list[str]) -> None:
    log_each_status(alice)
    add(bob, "bob's", status=404)

    form = asking(alice, status=asked)

    assert found(form) == names
    assert form.errors == {}


@pytest.mark.parametrize("asked", ["4", "40", "4040", "4xxx", "x04", "-404", "0404", "٤٠٤", "99.9", "<b>", "\0", "6xx"])
def test_what_is_no_status_filters_nothing_and_says_so(alice: User, asked: str) -> None:
    add(alice, "a", status=404)

    form = asking(alice, status=asked, day="2026-11-30")

    assert found(form) == ["a"]
    assert list(form.errors) == ["status"]
    assert dict(form.fields["status"].widget.choices)[asked] == asked
    assert form["status"].value() == asked


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        ("UTC", "2026-11-30", "2026-11-30T00:00", "2026-11-30T23:59"),
        ("Asia/Kolkata", "2026-11-30", "2026-11-29T18:30", "2026-11-30T18:29"),
        ("America/New_York", "2026-11-29", "2026-11-29T05:00", "2026-11-30T04:59"),
        ("Pacific/Kiritimati", "2026-12-01", "2026-11-30T10:00", "2026-12-01T09:59"),
        ("Pacific/Pago_Pago", "2026-11-21", "2026-11-21T11:00", "2026-11-22T10:59"),
    ],
)
def test_a_day_is_a_day_of_the_persons_clock(alice: User, zone: str, day: str, first: str, last: str) -> None:
    start, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, last))
    minute = timedelta(minutes=1)
    for name, sent_at in (("before", start - minute), ("first", start), ("last", end), ("after", end + minute)):
        add(alice, name, sent_at=sent_at)

    with timezone.override(ZoneInfo(zone)):
        form = asking(alice, day=day)

        assert found(form) == ["first", "last"]
        assert day in dict(form.fields["day"].widget.choices)


@pytest.mark.parametrize(
    ("now", "day", "hours"),
    [
        # Clocks were set back, and on.
        (datetime(2026, 10, 26, 12, tzinfo=UTC), "2026-10-25", 25),
        (datetime(2026, 3, 30, 12, tzinfo=UTC), "2026-03-29", 23),
    ],
)
def test_a_day_has_23_or_25_hours_where_clocks_are_set(
    alice: User, monkeypatch: pytest.MonkeyPatch, now: datetime, day: str, hours: int
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: now)
    for number in range(-30, 60):
        add(alice, number, sent_at=datetime.fromisoformat(f"{day}T12:30:00+00:00") + timedelta(hours=number))

    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert len(found(asking(alice, day=day))) == hours


def test_an_hour_is_found_and_named_by_the_clock(alice: User) -> None:
    start = datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
    for name, minutes in (("before", -1), ("first", 0), ("last", 59), ("after", 60)):
        add(alice, name, sent_at=start + timedelta(minutes=minutes))

    with timezone.override(ZoneInfo("Asia/Kolkata")):
        form = asking(alice, day=hour_value(start))

        assert found(form) == ["first", "last"]
        assert dict(form.fields["day"].widget.choices)["2026-11-30T14:30Z"] == "20:00 to 21:00"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("yesterday", "A day is written as 2026-11-30."),
        ("30.11.2026", "A day is written as 2026-11-30."),
        ("2026-02-30", "A day is written as 2026-11-30."),
        ("2026-11-30T14:30", "A day is written as 2026-11-30."),
        ("2026-11-30T25:00Z", "A day is written as 2026-11-30."),
        ("2026-W48-1", "A day is written as 2026-11-30."),
        ("٢٠٢٦-١١-٣٠", "A day is written as 2026-11-30."),
        ("9999-12-31", "A day is written as 2026-11-30."),
        ("0001-01-01", "This is none of the last 10 days."),
        ("0000-01-01", "A day is written as 2026-11-30."),
        ("2026-12-01", "This is none of the last 10 days."),
        ("2026-11-19", "This is none of the last 10 days."),
        ("9999-12-31T23:30Z", "A day is written as 2026-11-30."),
        ("2026-11-20T15:00Z", "This is none of the last 10 days."),
        ("x" * 1_000, "A day is written as 2026-11-30."),
    ],
)
def test_what_is_no_day_filters_nothing_and_says_so(alice: User, asked: str, sentence: str) -> None:
    add(alice, "a", status=404)
    add(alice, "b", status=200)

    form = asking(alice, day=asked, status="4xx")

    assert found(form) == ["a"]
    assert form.errors["day"] == [f"{sentence} Calls of all days are listed."]
    assert form["day"].value() == asked[:100]


def test_the_days_on_which_calls_are_kept_are_offered(alice: User) -> None:
    days = list(asking(alice).fields["day"].widget.choices)

    assert days[:4] == [
        ("", "All days"),
        ("2026-11-30", "Today"),
        ("2026-11-29", "Yesterday"),
        ("2026-11-28", "Sat 28 Nov"),
    ]
    # Ten times 24 hours touch eleven days.
    assert (len(days), days[-1]) == (12, ("2026-11-20", "Fri 20 Nov"))


def test_the_statuses_that_occurred_are_offered(alice: User, bob: User) -> None:
    log_each_status(alice)
    add(alice, "again", status=404)
    add(bob, "bob's", status=418)

    offered = [value for value, _ in asking(alice, status="405").fields["status"].widget.choices]

    exact = ["200", "204", "299", "301", "400", "404", "499", "500", "503", "600"]
    assert offered == ["", "2xx", "3xx", "4xx", "5xx", "none", *exact, "405"]


def test_the_apis_are_offered_and_a_deleted_one_that_is_asked_for(
    alice: User, bob: User, weather: OutboundApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = OutboundApi.objects.make(bob, "Shop", weather.recipe())
    tables = OutboundApi.objects.make(alice, "Tables", weather.recipe())
    add(alice, "weather", api=weather)
    add(alice, "tables", api=tables)
    every = [("", "All APIs"), (tables.pk, "Tables"), (weather.pk, "Weather")]

    form, pasted, foreign = (asking(alice, api=text) for text in (weather.pk, f"\u00a0{weather.pk}", others.pk))

    assert sorted(form.fields["api"].widget.choices) == sorted(every)
    assert found(form) == found(pasted) == ["weather"]
    assert found(foreign) == ["weather", "tables"]
    assert foreign.errors["api"] == ["None of your APIs has this id. Calls of all APIs are listed."]
    api_deletion.delete(alice.pk, weather.pk)
    deleted = asking(alice, api=weather.pk)
    assert found(deleted) == ["weather"]
    assert dict(deleted.fields["api"].widget.choices)[weather.pk] == "Weather (deleted)"
    monkeypatch.setattr(log_filter, "MOST_APIS", 0)
    assert list(asking(alice, api=tables.pk).fields["api"].widget.choices) == [every[0], every[1]]


def test_the_parts_of_a_filter_combine(alice: User, weather: OutboundApi) -> None:
    yesterday = NOW - timedelta(days=1)
    for name, columns in {
        "all": {"api": weather, "status": 404, "sent_at": yesterday},
        "no api": {"status": 404, "sent_at": yesterday},
        "no status": {"api": weather, "status": 200, "sent_at": yesterday},
        "no day": {"api": weather, "status": 404},
    }.items():
        add(alice, name, **columns)

    assert found(asking(alice, api=weather.pk, status="4xx", day="2026-11-29")) == ["all"]


@pytest.mark.parametrize(
    "asked", [{}, {"status": "4xx"}, {"status": "404"}, {"status": "none"}, {"day": "2026-11-30"}, {"api": ""}]
)
def test_each_filter_reads_the_owners_rows_in_the_order_of_an_index(
    alice: User, weather: OutboundApi, asked: dict[str, str]
) -> None:
    add(alice, "a", api=weather)
    form = asking(alice, **({"api": weather.pk} if "api" in asked else asked))

    if connection.vendor == "sqlite":
        rows, count = form.apply(logs_of(alice))[:50].explain(), form.apply(ApiLog.objects.owned_by(alice)).values("pk")
        assert "SCAN" not in rows
        assert "TEMP B-TREE" not in rows
        assert "SEARCH outbound_apilog USING" in rows
        assert "COVERING INDEX" in count.order_by().explain() or "api" in asked
