"""What a process remembers of the programs and addresses that owners' tokens are known to serve.

Whoever holds a leaked token can claim as many names in a day as are kept apart. Places are held for the known ones, so
they stay under their own names. `developers.known_programs` reads them.
"""

from collections.abc import Callable, Iterable
from datetime import date

from developers.programs import Known

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
        found = self._found.get(owner_id)
        return found[1] if found else NOTHING

    def read(self, days: Iterable[tuple[int, date]], query: Callable[[dict[int, date]], dict[int, Known]]) -> None:
        """Query what is known of owners before their days, unless it is remembered."""
        latest = dict(sorted(days))
        missing = {
            owner: day for owner, day in latest.items() if owner not in self._found or self._found[owner][0] < day
        }
        if not missing:
            return
        known = query(missing)
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
