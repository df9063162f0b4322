import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from accounts.web import formats

NOW = datetime(2026, 11, 24, 13, 2, 9, tzinfo=UTC)
# CLDR joins with several kinds of blanks.
BLANKS = re.compile("[\xa0\u202f\u2009]")


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
    assert formats.ago(NOW - passed).replace("\xa0", " ") == words


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=-3), "3 minutes ago"),
        (timedelta(hours=2, minutes=59), "in 2 hours"),
        (timedelta(days=13), "in 1 week"),
    ],
)
def test_a_relative_time_in_a_sentence_begins_small(away: timedelta, words: str) -> None:
    assert formats.relative(NOW + away).replace("\xa0", " ") == words


# English, then Spanish, Brazilian Portuguese, Hindi, Arabic, French and German.
LANGUAGES = ("en", "es", "pt-br", "hi", "ar", "fr", "de")
WRITTEN: dict[str, tuple[Callable[[], str], tuple[str, ...]]] = {
    "time": (lambda: formats.clock(NOW), ("14:02", "14:02", "14:02", "2:02 pm", "2:02 م", "14:02", "14:02")),
    "time-of-another-day": (
        lambda: formats.clock(NOW - timedelta(days=65)),
        (
            "20 Sep, 15:02",
            "20 sept, 15:02",
            "20 de set. 15:02",
            "20 सित॰, 3:02 pm",
            "20 سبتمبر، 3:02 م",
            "20 sept., 15:02",
            "20. Sept., 15:02",
        ),
    ),
    "day": (
        lambda: formats.day(NOW),
        (
            "24 Nov 2026",
            "24 nov 2026",
            "24 de nov. de 2026",
            "24 नव॰ 2026",
            "24 نوفمبر 2026",
            "24 nov. 2026",
            "24. Nov. 2026",
        ),
    ),
    "weekday": (
        lambda: formats.day(NOW.date(), "MMMEd"),
        (
            "Tue 24 Nov",
            "mar, 24 nov",
            "ter., 24 de nov.",
            "मंगल, 24 नव॰",
            "الثلاثاء، 24 نوفمبر",
            "mar. 24 nov.",
            "Di., 24. Nov.",
        ),
    ),
    "exact": (
        lambda: formats.exact(NOW),
        (
            "24 November 2026, 14:02:09 CET",
            "24 de noviembre de 2026, 14:02:09 CET",
            "24 de novembro de 2026 14:02:09 CET",
            "24 नवंबर 2026, 2:02:09 pm CET",
            "24 نوفمبر 2026، 2:02:09 م CET",
            "24 novembre 2026, 14:02:09 CET",
            "24. November 2026, 14:02:09 CET",
        ),
    ),
    "ago": (
        lambda: formats.ago(NOW - timedelta(minutes=39, seconds=50)),
        (
            "39 minutes ago",
            "Hace 39 minutos",
            "Há 39 minutos",
            "39 मिनट पहले",
            "قبل 39 دقيقة",
            "Il y a 39 minutes",
            "Vor 39 Minuten",
        ),
    ),
    "wait": (
        lambda: formats.from_now(timedelta(seconds=40)),
        (
            "in 40 seconds",
            "dentro de 40 segundos",
            "em 40 segundos",
            "40 सेकंड में",
            "خلال 40 ثانية",
            "dans 40 secondes",
            "in 40 Sekunden",
        ),
    ),
    # Arabic has a dual.
    "relative": (
        lambda: formats.relative(NOW + timedelta(hours=2)),
        ("in 2 hours", "dentro de 2 horas", "em 2 horas", "2 घंटे में", "خلال ساعتين", "dans 2 heures", "in 2 Stunden"),
    ),
    "duration": (
        lambda: formats.duration(timedelta(hours=3, minutes=9)),
        ("3 hours", "3 horas", "3 horas", "3 घंटे", "3 ساعات", "3 heures", "3 Stunden"),
    ),
    "thousands": (lambda: formats.number(1234), ("1,234", "1234", "1.234", "1,234", "1,234", "1 234", "1.234")),
    "millions": (
        lambda: formats.number(1_234_567.25, 1),
        ("1,234,567.2", "1.234.567,2", "1.234.567,2", "12,34,567.2", "1,234,567.2", "1 234 567,2", "1.234.567,2"),
    ),
    "percent": (
        lambda: formats.percent(0.125, 1),
        ("12.5%", "12,5 %", "12,5%", "12.5%", "12.5%", "12,5 %", "12,5 %"),
    ),
    "bytes": (
        lambda: formats.size(512),
        ("512 bytes", "512 bytes", "512 bytes", "512 बाइट", "512 بايت", "512 octets", "512 Byte"),
    ),
    "kilobytes": (
        lambda: formats.size(1536),
        ("1.5 KB", "1,5 KB", "1,5 KB", "1.5 KB", "1.5 كيلوبايت", "1,5 ko", "1,5 KB"),
    ),
    "seconds": (
        lambda: formats.seconds(0.421),
        ("0.42 s", "0,42 s", "0,42 s", "0.42 से॰", "0.42 ث", "0,42 s", "0,42 Sek."),
    ),
    "list": (
        lambda: formats.listed("abc"),
        ("a, b and c", "a, b y c", "a, b e c", "a, b और c", "a وb وc", "a, b et c", "a, b und c"),
    ),
    "alternatives": (
        lambda: formats.listed(["a", 2], "or"),
        ("a or 2", "a o 2", "a ou 2", "a या 2", "a أو 2", "a ou 2", "a oder 2"),
    ),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_each_language_has_its_own_form(kind: str) -> None:
    write, expected = WRITTEN[kind]

    written = []
    for language in LANGUAGES:
        with translation.override(language), timezone.override("Europe/Berlin"):
            written.append(BLANKS.sub(" ", write()))

    assert tuple(written) == expected


@pytest.mark.parametrize("language", [None, "xx", "x-y-z-1", "en-gb"])
def test_a_language_without_forms_has_those_of_english(language: str | None) -> None:
    with translation.override(language):
        written = (formats.clock(NOW), formats.number(1234), formats.listed("abc"))

    assert written == ("13:02", "1,234", "a, b and c")


def test_a_number_and_its_unit_stay_on_one_line() -> None:
    assert formats.ago(NOW - timedelta(minutes=39)) == "39\xa0minutes ago"
    assert [formats.size(count) for count in (0, 1, 64 * 1024, 5 * 1024**5)] == [
        "0\xa0bytes",
        "1\xa0byte",
        "64.0\xa0KB",
        "5120.0\xa0TB",
    ]
    assert (formats.seconds(2, 0), formats.number(0)) == ("2\xa0s", "0")


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
        written = (formats.clock(at), formats.day_and_clock(at), formats.at_clock(at))

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
        written = [formats.clock(at), formats.clock(at + timedelta(hours=1))]
        exact = formats.exact(at)

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
            written = [formats.day_and_clock(at) for at in (first - minute, first, last, last + minute)]

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
        assert formats.exact(NOW) == exact
