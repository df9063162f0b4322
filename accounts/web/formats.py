"""Dates, times, numbers, sizes and lists in the form of the active language, from CLDR's data by Babel.

Times are in the person's time zone. Digits are 0 to 9 in every language: CLDR's default for Arabic and Hindi too, what
`Intl` of a browser writes for `lang`, and what tokens, codes and telephone numbers beside them are written with.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError, numbers
from babel.dates import TIMEDELTA_UNITS, DateTimePattern, format_timedelta, parse_pattern
from babel.lists import format_list
from babel.numbers import NumberPattern, format_percent
from babel.units import format_unit
from django.utils import timezone
from django.utils.translation import get_language, pgettext, to_locale
from django.utils.translation import gettext as _

# CLDR's "en" is American. Ours is read everywhere: the day is before the month, and the day has 24 hours.
ENGLISH = {
    "MMMd": "d MMM",
    "yMMMd": "d MMM y",
    "yMMMMd": "d MMMM y",
    "MMMEd": "EEE d MMM",
    "Hm": "HH:mm",
    "Hms": "HH:mm:ss",
}
# Its lists have no comma before "and".
WORLD_ENGLISH = "en_150"
# The largest number that is written without separators: CLDR's minimumGroupingDigits, which Babel leaves out.
UNGROUPED = {"es": 9_999}
SMALL = 1000
# A wait of an hour is written as 60 minutes, as its limit is.
MORE_THAN_ONE = 1.01
SIZES = ("byte", "kilobyte", "megabyte", "gigabyte", "terabyte")
_AFTER_DIGIT = re.compile(r"(?<=\d) ")


def number(value: float, decimals: int = 0) -> str:
    """Return a number with so many decimals: "1,234", in Hindi "12,34,567.0"."""
    # Most numbers of a page.
    if isinstance(value, int) and 0 <= value < SMALL and not decimals:
        return str(value)
    language = _language()
    locale = _locale_of(language, "en")
    is_grouped = abs(value) > UNGROUPED.get(locale.language, 0)
    written: str = _decimal_pattern(language, decimals).apply(value, locale, group_separator=is_grouped)
    return written


def percent(fraction: float, decimals: int = 0) -> str:
    """Return a fraction in percent: "12%", in German "12 %"."""
    return format_percent(round(fraction, decimals + 2), locale=_locale(), decimal_quantization=False)


def size(count: int) -> str:
    """Return a number of bytes: "1 byte", "512 bytes", "1.5 KB", which is 1,536 bytes."""
    locale = _locale()
    power = min(max(count.bit_length() - 1, 0) // 10, len(SIZES) - 1)
    # Bytes are written out, and so is all in Arabic, for which CLDR shortens only some units.
    length: Literal["long", "short"] = "long" if power == 0 or locale.language == "ar" else "short"
    unit = format_unit(count / 1024**power, f"digital-{SIZES[power]}", length, "0.0" if power else "0", locale)
    # With a small k, it would have 1,000 bytes.
    return _unbroken(unit.replace("kB", "KB"))


def seconds(value: float, decimals: int = 2) -> str:
    """Return a measured time: "0.42 s"."""
    locale = _locale()
    if locale.language == "en":
        return f"{number(value, decimals)}\xa0s"
    return _unbroken(format_unit(value, "duration-second", "short", "0." + "0" * decimals, locale))


def duration(length: timedelta) -> str:
    """Return a length of time in its largest unit, for use inside a sentence: "60 minutes", "2 hours"."""
    return format_timedelta(length, threshold=MORE_THAN_ONE, locale=_locale())


def from_now(wait: timedelta) -> str:
    """Return when a wait is over, for use inside a sentence: "in 40 seconds", "in 5 minutes"."""
    return format_timedelta(wait, threshold=MORE_THAN_ONE, add_direction=True, locale=_locale())


def relative(at: datetime) -> str:
    """Return how far away a time is, for use inside a sentence: "just now", "3 minutes ago", "in 2 hours"."""
    away = _away(at)
    # Translators: says when something happened, as in "Last seen just now"; less than a minute ago
    return _relative(away) if away else pgettext("inside a sentence", "just now")


def ago(at: datetime) -> str:
    """Return how far away a time is, for use on its own: "Just now", "39 minutes ago", in Spanish "Hace 39 minutos"."""
    away = _away(at)
    if not away:
        # Translators: on its own, as in a table: less than a minute ago.
        return _("Just now")
    text = _relative(away)
    return text[0].upper() + text[1:]


def listed(items: Iterable[object], style: Literal["standard", "or"] = "standard") -> str:
    """Return an enumeration: "a, b and c", with the style "or" "a, b or c"."""
    return format_list([str(item) for item in items], style, _locale(WORLD_ENGLISH))


def day(at: date, skeleton: str = "yMMMd") -> str:
    """Return a date, with the parts that CLDR's skeleton names: "MMMd" is "19 Nov", "yMMMMd" "19 November 2026"."""
    return _day(timezone.localtime(at) if isinstance(at, datetime) else at, skeleton, _language())


def clock(at: datetime) -> str:
    """Return the time of day, with the date unless it is today: "14:02", "19 Nov, 09:47"."""
    return _clock(at)[0]


def day_and_clock(at: datetime) -> str:
    """Return what `clock` does, with "today" for today: "today, 14:02"."""
    written, is_today = _clock(at)
    # Translators: %(time)s is a time of day such as 14:02.
    return pgettext("day and time", "today, %(time)s") % {"time": written} if is_today else written


def at_clock(at: datetime) -> str:
    """Return a time for use inside a sentence: "today at 14:02", "on 19 Nov, 09:47"."""
    written, is_today = _clock(at)
    if is_today:
        # Translators: says when something happened, as in "It was revoked today at 14:02."
        return pgettext("inside a sentence", "today at %(time)s") % {"time": written}
    # Translators: says when something happened, as in "It was revoked on 19 Nov, 09:47." %(time)s has date and time.
    return pgettext("inside a sentence", "on %(time)s") % {"time": written}


def exact(at: datetime) -> str:
    """Return a time to the second, with its zone: "24 November 2026, 14:02:09 CET"."""
    local, language = timezone.localtime(at), _language()
    time = f"{_time(local, 'Hms', language)} {local.tzname()}"
    return _joined(_day(local, "yMMMMd", language), time, language)


def _clock(at: datetime) -> tuple[str, bool]:
    """Return the time of day, with the date unless it is today, and whether it is."""
    local, today, language = timezone.localtime(at), timezone.localdate(), _language()
    time = _time_of_day(local, language)
    if local.date() == today:
        return time, True
    return _joined(_day(local, "MMMd" if local.year == today.year else "yMMMd", language), time, language), False


def _away(at: datetime) -> timedelta:
    """Return how far away a time is, in its largest unit; nothing for less than a minute."""
    away = at - timezone.now()
    return _rounded(away) if abs(away) >= timedelta(minutes=1) else timedelta()


def _rounded(length: timedelta) -> timedelta:
    """Return whole years, months, weeks and so on; Babel itself would round 50 minutes up to an hour."""
    whole = abs(int(length.total_seconds()))
    unit = next((unit for _name, unit in TIMEDELTA_UNITS if whole >= unit), 1)
    return timedelta(seconds=whole - whole % unit) * (-1 if length < timedelta() else 1)


def _relative(away: timedelta) -> str:
    return _unbroken(format_timedelta(away, threshold=1, add_direction=True, locale=_locale()))


def _day(local: date, skeleton: str, language: str) -> str:
    return _written_day(local.year, local.month, local.day, skeleton, language)


# A list has many of few days.
@lru_cache(maxsize=4096)
def _written_day(year: int, month: int, day: int, skeleton: str, language: str) -> str:
    return _pattern(language, skeleton).apply(date(year, month, day), _locale_of(language, "en"))


def _time_of_day(local: datetime, language: str) -> str:
    comes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return _time(local, "Hm", language) + (f" {local.tzname()}" if comes_twice else "")


def _time(local: datetime, skeleton: str, language: str) -> str:
    pattern = _pattern(language, skeleton)
    # Of most languages, and strftime takes a tenth of the time.
    plain = {"HH:mm": "%H:%M", "HH:mm:ss": "%H:%M:%S"}.get(pattern.pattern)
    return f"{local:{plain}}" if plain else pattern.apply(local, _locale_of(language, "en"))


def _joined(day: str, time: str, language: str) -> str:
    return str(_locale_of(language, "en").datetime_formats["medium"]).replace("{1}", day).replace("{0}", time)


def _unbroken(text: str) -> str:
    """Keep a number and its unit on one line."""
    return _AFTER_DIGIT.sub("\xa0", text)


def _language() -> str:
    # Takes longer than most of what follows, so it is called once for each text.
    return get_language() or "en"


def _locale(english: str = "en") -> Locale:
    return _locale_of(_language(), english)


@lru_cache(maxsize=128)
def _locale_of(language: str, english: str) -> Locale:
    """Return CLDR's locale for a language of Django, and `english` for English and for languages that CLDR lacks."""
    try:
        locale = Locale.parse(to_locale(language))
    except (ValueError, UnknownLocaleError):
        return Locale.parse(english)
    return Locale.parse(english) if locale.language == "en" else locale


@lru_cache(maxsize=128)
def _decimal_pattern(language: str, decimals: int) -> NumberPattern:
    whole = _locale_of(language, "en").decimal_formats[None].pattern.partition(".")[0]
    return numbers.parse_pattern(f"{whole}.{'0' * decimals}" if decimals else whole)


@lru_cache(maxsize=512)
def _pattern(language: str, skeleton: str) -> DateTimePattern:
    """Return the language's pattern for a date or a time. Parsing one takes longer than using it."""
    locale = _locale_of(language, "en")
    if locale.language == "en":
        return parse_pattern(ENGLISH[skeleton])
    if skeleton in ("Hm", "Hms"):
        # With 12 hours where people read those.
        return parse_pattern(locale.time_formats["short" if skeleton == "Hm" else "medium"])
    if skeleton == "yMMMMd":
        return parse_pattern(locale.date_formats["long"])
    return parse_pattern(locale.datetime_skeletons[skeleton])
