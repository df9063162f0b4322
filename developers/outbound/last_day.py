"""How the calls of the last 24 hours ended, hour by hour, as a bar and as a table."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import timezone as fixed_zone
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet, TextChoices
from django.db.models.functions import TruncHour
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import ngettext_lazy, pgettext_lazy

from accounts.web import formats
from developers.outbound.log_filter import HOUR, hour_value
from developers.outbound.models import ApiLog

HOURS = 24
# Units of the drawing: an hour's column, the gap between two, and the height of the fullest hour.
COLUMN, GAP, HEIGHT = 10, 2, 60
# A single call among thousands is seen too.
LEAST = 2


class CallOutcome(TextChoices):
    """How a call ended. The labels are the headings of columns with numbers of calls."""

    WORKED = "worked", pgettext_lazy("calls", "Worked")
    REFUSED = "refused", pgettext_lazy("calls", "Refused")
    FAILED = "failed", pgettext_lazy("calls", "Failed")
    NO_RESPONSE = "none", pgettext_lazy("calls", "No response")


# Translators: numbers of calls of an API in the last 24 hours, by how they ended.
NUMBERS = {
    CallOutcome.WORKED: ngettext_lazy("<strong>{number}</strong> worked", "<strong>{number}</strong> worked", "count"),
    CallOutcome.REFUSED: ngettext_lazy(
        "<strong>{number}</strong> refused", "<strong>{number}</strong> refused", "count"
    ),
    CallOutcome.FAILED: ngettext_lazy("<strong>{number}</strong> failed", "<strong>{number}</strong> failed", "count"),
    CallOutcome.NO_RESPONSE: ngettext_lazy(
        "<strong>{number}</strong> no response", "<strong>{number}</strong> no response", "count"
    ),
}


class Piece(NamedTuple):
    """A rectangle of the bar, for the calls of an hour that ended alike."""

    outcome: CallOutcome
    y: int
    height: int


@dataclass(slots=True)
class HourOfCalls:
    start: datetime
    x: int
    counts: Counter[CallOutcome] = field(default_factory=Counter)
    pieces: list[Piece] = field(default_factory=list)

    @property
    def value(self) -> str:
        """The hour as the filter takes it."""
        return hour_value(self.start)

    @property
    def numbers(self) -> list[tuple[CallOutcome, int]]:
        return [(outcome, self.counts[outcome]) for outcome in CallOutcome]

    @property
    def summary(self) -> str:
        """The calls of the hour as text: "3 worked and 1 failed"."""
        return formats.listed(strip_tags(in_words(outcome, count)) for outcome, count in self.numbers if count)


@dataclass(frozen=True, slots=True)
class LastDay:
    """`hours`: 24, the oldest first. `busy`: those with calls, the newest first. `totals`: calls by outcome."""

    hours: list[HourOfCalls]
    busy: list[HourOfCalls]
    totals: list[tuple[CallOutcome, int]]
    width: int = HOURS * COLUMN
    height: int = HEIGHT
    column: int = COLUMN - GAP

    @property
    def totals_in_words(self) -> list[tuple[CallOutcome, SafeString]]:
        return [(outcome, in_words(outcome, count)) for outcome, count in self.totals]


def in_words(outcome: CallOutcome, count: int) -> SafeString:
    """Return how many calls ended so, as HTML."""
    return mark_safe(NUMBERS[outcome].format(number=formats.number(count), count=count))  # noqa: S308


def outcome_of(status: int | None) -> CallOutcome:
    if status is None:
        return CallOutcome.NO_RESPONSE
    return {2: CallOutcome.WORKED, 4: CallOutcome.REFUSED}.get(status // 100, CallOutcome.FAILED)


def last_day(logs: QuerySet[ApiLog]) -> LastDay:
    """Count the logs of the current hour and of the 23 before it, by the clock of the person."""
    now = timezone.localtime()
    # Always the offset of today, so that no hour is missing or doubled where clocks were set.
    zone = fixed_zone(now.utcoffset() or timedelta())
    last = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    hours = [HourOfCalls(last - (HOURS - 1 - number) * HOUR, number * COLUMN) for number in range(HOURS)]
    by_start = {hour.start: hour for hour in hours}
    for start, status, count in _counts(logs, hours[0].start, zone):
        # A log of another node may be ahead of this clock.
        by_start.get(start, hours[-1]).counts[outcome_of(status)] += count
    most = max(hour.counts.total() for hour in hours)
    for hour in hours:
        hour.pieces = list(_pieces(hour.counts, most))
    totals: Counter[CallOutcome] = sum((hour.counts for hour in hours), Counter())
    busy = [hour for hour in reversed(hours) if hour.counts]
    return LastDay(hours, busy, [(outcome, totals[outcome]) for outcome in CallOutcome])


def _counts(logs: QuerySet[ApiLog], since: datetime, zone: fixed_zone) -> Any:
    recent = logs.filter(sent_at__gte=since).order_by().annotate(hour=TruncHour("sent_at", tzinfo=zone))
    return recent.values_list("hour", "status").annotate(count=Count("pk"))


def _pieces(counts: Counter[CallOutcome], most: int) -> Iterator[Piece]:
    """Yield the rectangles of an hour from the ground up. Together they are at most `HEIGHT` high."""
    y = HEIGHT
    for outcome in CallOutcome:
        if counts[outcome]:
            height = max(LEAST, (HEIGHT - LEAST * len(CallOutcome)) * counts[outcome] // most)
            y -= height
            yield Piece(outcome, y, height)
