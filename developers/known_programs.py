"""The programs and addresses that an owner's tokens are known to serve: those of earlier days, and those with a label.

Whoever holds a leaked token can claim as many names in a day as are kept apart. Places are held for the known ones, so
they stay under their own names.
"""

from collections.abc import Iterable
from datetime import date

from django.db.models import Min

from developers.models import ProgramLabel, TokenUse
from developers.programs import HELD_ADDRESSES, HELD_PROGRAMS, OTHERS, Known

# Names and addresses in the memory of a process, of some hundred owners at least.
MOST_REMEMBERED = 20_000
NOTHING: Known = {}


class KnownUses:
    """Remembers what is known of owners, so that it is read once a day and process. One thread reads at a time."""

    def __init__(self) -> None:
        # The owner read least recently first.
        self._found: dict[int, tuple[date, Known]] = {}
        self._size = 0

    def of(self, owner_id: int) -> Known:
        """Return what was read of an owner, without a query."""
        return self._found.get(owner_id, (None, NOTHING))[1]

    def read(self, days: Iterable[tuple[int, date]]) -> None:
        """Read what is known of owners before their days, unless it is remembered."""
        latest = dict(sorted(days))
        missing = {
            owner: day for owner, day in latest.items() if owner not in self._found or self._found[owner][0] < day
        }
        if not missing:
            return
        known = _read(missing)
        for owner, day in missing.items():
            self._remember(owner, day, known[owner])

    def _remember(self, owner_id: int, day: date, known: Known) -> None:
        self._size += _size(known) - _size(self._found.pop(owner_id, (day, NOTHING))[1])
        self._found[owner_id] = day, known
        while self._size > MOST_REMEMBERED and len(self._found) > 1:
            oldest = next(iter(self._found))
            self._size -= _size(self._found.pop(oldest)[1])


def _size(known: Known) -> int:
    return sum(1 + len(addresses) for addresses in known.values())


def _read(days: dict[int, date]) -> dict[int, Known]:
    """Return the labelled programs of owners and those that they used first, each with the addresses used first."""
    known: dict[int, dict[str, list[str]]] = {owner: {} for owner in days}
    uses = TokenUse.objects.filter(user__in=days, day__lt=max(days.values())).exclude(program=OTHERS)
    pairs = uses.order_by().values_list("user", "program", "address").annotate(began_at=Min("first_at"))
    first = list(pairs.order_by("began_at", "program", "address"))
    labels = ProgramLabel.objects.filter(user__in=days).order_by("pk").values_list("user", "program")
    for owner, program in [*labels, *((owner, program) for owner, program, *_ in first)]:
        if len(known[owner]) < HELD_PROGRAMS:
            known[owner].setdefault(program, [])
    for owner, program, address, _began_at in first:
        places = known[owner].get(program)
        if places is not None and len(places) < HELD_ADDRESSES and address != OTHERS:
            places.append(address)
    return {owner: {program: frozenset(places) for program, places in found.items()} for owner, found in known.items()}
