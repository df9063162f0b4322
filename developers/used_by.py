"""The programs that used an owner's tokens in the last 30 days, for people: rows with a bar for each day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import Any, ClassVar, NamedTuple

from django.db import models as db
from django.db.models import F, Q, QuerySet, Value, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from accounts.orm.compiled import CompiledQuery, Parameter
from developers.models import ProgramLabel, TokenUse
from developers.programs import MOST_ADDRESSES, OTHERS, address_name, program_name

SHOWN_DAYS = 30
# Units of the drawing: a day's column, whose bar is 3 wide, and the height of the fullest day.
COLUMN, HEIGHT = 4, 24
# A single call among thousands is seen too.
LEAST = 2
# The parts of one query. What a part does not have is empty.
DAY, ADDRESS, LABEL = "day", "address", "label"
COLUMNS = ("part", "name", "text", "on", "accepted", "refused", "used_at")
ACCEPTED = db.Sum("count", filter=Q(is_refused=False), default=0)
REFUSED = db.Sum("count", filter=Q(is_refused=True), default=0)


class Bar(NamedTuple):
    """A bar of the drawing, from its foot to its top, for the accepted or the refused calls of a day."""

    is_refused: bool
    x: int
    foot: int
    top: int


class DayOfUses(NamedTuple):
    day: date
    accepted: int
    refused: int

    @property
    def calls(self) -> int:
        return self.accepted + self.refused


@dataclass(slots=True)
class UsingProgram:
    """A program. `name`: as it is kept. `label`: what its owner calls it, or "". `addresses`: the last used first."""

    name: str
    label: str
    last_at: datetime
    addresses: list[str]
    days: list[DayOfUses]
    width: ClassVar = SHOWN_DAYS * COLUMN
    height: ClassVar = HEIGHT

    @property
    def own_name(self) -> str:
        """What the program calls itself, for people."""
        return program_name(self.name)

    @property
    def can_have_a_label(self) -> bool:
        return self.name != OTHERS

    @property
    def accepted(self) -> int:
        return sum(day.accepted for day in self.days)

    @property
    def refused(self) -> int:
        return sum(day.refused for day in self.days)

    @property
    def fullest(self) -> DayOfUses:
        return max(self.days, key=lambda day: (day.calls, day.day))

    @property
    def bars(self) -> Iterator[Bar]:
        """Yield the bars of the days, the refused calls on top. Together they are at most `HEIGHT` high."""
        first = _first_day()
        for day, *calls in self.days:
            foot = HEIGHT
            for is_refused, number in enumerate(calls):
                if number:
                    top = foot - max(LEAST, (HEIGHT - 2 * LEAST) * number // self.fullest.calls)
                    # A day of another node may be ahead of this clock.
                    place = min((day - first).days, SHOWN_DAYS - 1)
                    yield Bar(bool(is_refused), place * COLUMN + COLUMN // 2, foot, top)
                    foot = top

    @property
    def lines(self) -> dict[str, str]:
        """The bars of accepted and of refused calls, each as the path of SVG that draws them."""
        names = {False: "accepted", True: "refused"}
        lines = dict.fromkeys(names.values(), "")
        for bar in self.bars:
            lines[names[bar.is_refused]] += f"M{bar.x} {bar.foot}V{bar.top}"
        return lines


def names_of(owner_id: int) -> QuerySet[TokenUse, str]:
    """Return a query for the names of an owner's programs, the last used first."""
    return _names(_recent_uses(owner_id, _first_day()))


def programs_named(owner_id: int, names: Any) -> list[UsingProgram]:
    """Return the programs of these names, a list or a query, the last used first. Takes one query."""
    return _programs(_parts(owner_id, _first_day(), names))


def last_used(owner_id: int, most: int) -> list[UsingProgram]:
    """Return the programs that used an owner's tokens last. Takes one query."""
    return _programs(_last_used(most).rows(owner=owner_id, first_day=_first_day()))


@cache
def _last_used(most: int) -> CompiledQuery:
    owner, day = Parameter("owner", db.BigIntegerField()), Parameter("first_day", db.DateField())
    return CompiledQuery(lambda: _parts(owner, day, _names(_recent_uses(owner, day))[:most]))


def _names(uses: QuerySet[TokenUse]) -> QuerySet[TokenUse, str]:
    last = uses.values("program").annotate(used_at=db.Max("last_at"))
    return last.order_by("-used_at", "program").values_list("program", flat=True)


def _programs(rows: Any) -> list[UsingProgram]:
    parts: dict[str, dict[str, list[Any]]] = {DAY: {}, ADDRESS: {}, LABEL: {}}
    for part, name, *values in rows:
        parts[part].setdefault(name, []).append(values)
    found = []
    for name, days in parts[DAY].items():
        addresses = sorted(parts[ADDRESS][name], key=itemgetter(-1), reverse=True)
        found.append(
            UsingProgram(
                name,
                label=next((text for text, *_rest in parts[LABEL].get(name, ())), ""),
                last_at=max(values[-1] for values in days),
                addresses=[address_name(text) for text, *_rest in addresses],
                days=[DayOfUses(*values[1:4]) for values in days],
            )
        )
    return sorted(found, key=lambda program: (program.last_at, program.name), reverse=True)


def _parts(owner_id: Any, first_day: Any, names: Any) -> Any:
    """Read the days, the last addresses and the labels of programs."""
    uses = _recent_uses(owner_id, first_day).filter(program__in=names)
    days = _summed(uses.values("program", "day"), part=Value(DAY), text=Value(""), on=F("day"))
    addresses = _summed(uses.values("program", "address"), part=Value(ADDRESS), text=F("address"), on=db.Max("day"))
    last = Window(RowNumber(), partition_by=F("program"), order_by=["-used_at", "text"])
    addresses = addresses.alias(place=last).filter(place__lte=MOST_ADDRESSES)
    labels = ProgramLabel.objects.filter(user=owner_id, program__in=names).values_list(
        *(Value(LABEL), "program", "label", Value(None, db.DateField())),
        *(Value(0), Value(0), Value(None, db.DateTimeField())),
    )
    return days.union(addresses, labels, all=True)


def _summed(uses: Any, **columns: Any) -> Any:
    sums = {"accepted": ACCEPTED, "refused": REFUSED, "used_at": db.Max("last_at")}
    return uses.annotate(name=F("program"), **sums, **columns).values_list(*COLUMNS)


def _recent_uses(owner_id: Any, first_day: Any) -> QuerySet[TokenUse]:
    return TokenUse.objects.filter(user=owner_id, day__gte=first_day).order_by()


def _first_day() -> date:
    return timezone.now().date() - timedelta(days=SHOWN_DAYS - 1)
