"""The uses of tokens by program and address: adds to them, lists them, and prunes them after 35 days.

`developers.bearer.use_counts` counts them. Several processes add to the same rows.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import Error, connection
from django.db import models as db
from django.db.models import Q
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.orm import best_effort, bulk
from accounts.orm.batches import delete_in_batches
from accounts.orm.prepared import Prepared, insertion
from developers.bearer.known_uses import KnownUses
from developers.bearer.use_counts import Count, Counts, OwnersUse
from developers.known_programs import known_before
from developers.models import ApiToken, ProgramLabel, RevokedToken, TokenUse
from developers.new_uses import NewUse, NewUseEvents, new_uses
from developers.programs import MOST_ADDRESSES, MOST_PROGRAMS, SeenUses, UseKey, address_name, program_name

logger = logging.getLogger(__name__)

KEPT_DAYS = 35
# In one transaction, so that SQLite's write lock is held for a few milliseconds.
ROWS, OWNERS = 100, 10
# Another process may have added to the same owner's day meanwhile.
ATTEMPTS = 3
KEY = ("user", "day", "program", "address", "generation", "is_refused")
CONFLICT = (
    " ON CONFLICT (user_id, day, program, address, generation, is_refused) DO UPDATE SET"
    " count = developers_tokenuse.count + excluded.count,"
    " first_at = {least}(developers_tokenuse.first_at, excluded.first_at),"
    " last_at = {greatest}(developers_tokenuse.last_at, excluded.last_at)"
)
FUNCTIONS = {
    "sqlite": {"least": "MIN", "greatest": "MAX"},
    "postgresql": {"least": "LEAST", "greatest": "GREATEST"},
}

OwnersDay = tuple[int, date]


def write(counts: Counts, known: KnownUses | None = None) -> Counts:
    """Add counts to their rows; return those that could not be written now. Drops those of deleted accounts."""
    waiting, known = dict(counts), known or KnownUses()
    try:
        for _attempt in range(ATTEMPTS):
            for batch in _batches(sorted(waiting)):
                done = _write_batch({use: waiting[use] for use in batch}, known)
                if done is None:
                    return waiting
                for use in done:
                    del waiting[use]
            if not waiting:
                break
    except Error as error:
        logger.warning("Uses of tokens were not recorded yet: %s", error)
    return waiting


def _batches(uses: Sequence[OwnersUse]) -> Iterator[list[OwnersUse]]:
    batch = list[OwnersUse]()
    for use in uses:
        if len(batch) == ROWS or len({other.owner_id for other in batch} | {use.owner_id}) > OWNERS:
            yield batch
            bulk.rest(bulk.SHORTEST_REST)
            batch = []
        batch.append(use)
    if batch:
        yield batch


def _write_batch(counts: Counts, known: KnownUses) -> list[OwnersUse] | None:
    """Add counts in one transaction. Return those that are done, without days that are changed or locked by others.

    Returns None if the database took none of them.
    """
    known.read({(use.owner_id, use.day) for use in counts}, known_before)
    seen = _seen_of(counts)
    for (owner_id, _day), uses in seen.items():
        uses.known = known.of(owner_id)
    before = {day: set(uses.keys) for day, uses in seen.items()}
    sizes = {day: len(uses.keys) for day, uses in seen.items()}
    rows: dict[OwnersDay, Prepared] = {day: _prepared(day, counts, uses) for day, uses in seen.items()}
    fresh = {day: uses.keys - before[day] for day, uses in seen.items()}
    new = NewUseEvents(_new_uses(counts, fresh))
    done = set[OwnersDay]()

    def add() -> None:
        found, gone = _writable(sizes)
        done.update(found, gone)
        sql = next(iter(rows.values())).sql
        Prepared(sql, [values for day in found for values in rows[day].rows]).run()
        new.record_first(found)

    if not best_effort.try_in_background("The last minute of uses of tokens", add):
        return None
    new.record_rest(done)
    return [use for use in counts if (use.owner_id, use.day) in done]


def _new_uses(counts: Counts, fresh: dict[OwnersDay, set[UseKey]]) -> list[tuple[OwnersDay, NewUse]]:
    """Return which programs and addresses are new, or log that it was not possible: the counts are written anyway."""
    found: list[tuple[OwnersDay, NewUse]] = []
    try:
        for (owner_id, day), uses in fresh.items():
            first = {use: counts.get(OwnersUse(owner_id, day, use)) for use in uses}
            times = {use: datetime.fromtimestamp(count.first_at, UTC) for use, count in first.items() if count}
            found += [((owner_id, day), new) for new in (new_uses(owner_id, times) if times else ())]
    except Error as error:
        logger.warning("New programs and addresses were not looked for: %s", error)
    return found


def _seen_of(counts: Counts) -> dict[OwnersDay, SeenUses]:
    """Read outside of the transaction which rows there are: an owner may have some thousand a day."""
    keys: dict[OwnersDay, set[UseKey]] = {(use.owner_id, use.day): set() for use in counts}
    for owner_id, day, *rest in _of_days(keys).values_list(*KEY):
        if (owner_id, day) in keys:
            keys[owner_id, day].add(UseKey(*rest))
    return {day: SeenUses(found) for day, found in keys.items()}


def _of_days(days: Any) -> db.QuerySet[TokenUse]:
    owners, dates = {owner for owner, _ in days}, {day for _, day in days}
    return TokenUse.objects.filter(user__in=owners, day__in=dates)


def _prepared(owners_day: OwnersDay, counts: Counts, seen: SeenUses) -> Prepared:
    """Prepare the rows of an owner's day within the bounds."""
    (owner_id, day), rows = owners_day, dict[UseKey, Count]()
    for use, count in counts.items():
        if (use.owner_id, use.day) == owners_day and (kept := seen.add(use.use)):
            rows.setdefault(kept, Count(0, count.first_at, count.last_at)).add(count)
    insert = insertion(
        TokenUse,
        [
            TokenUse(
                user_id=owner_id,
                day=day,
                **use._asdict(),
                count=count.number,
                first_at=datetime.fromtimestamp(count.first_at, UTC),
                # Clocks may be set back.
                last_at=datetime.fromtimestamp(max(count.first_at, count.last_at), UTC),
            )
            for use, count in rows.items()
        ],
    )
    return Prepared(insert.sql + CONFLICT.format(**FUNCTIONS[connection.vendor]), insert.rows)


def _writable(sizes: dict[OwnersDay, int]) -> tuple[list[OwnersDay], list[OwnersDay]]:
    """Lock the owners. Return the days that are as they were read, and those whose owner is deleted."""
    owners = {owner for owner, _ in sizes}
    # FOR NO KEY UPDATE, for which a revoke does not wait. This does not wait for others either.
    locked = User.objects.select_for_update(no_key=True, skip_locked=True).filter(pk__in=owners).order_by("pk")
    own = set(locked.values_list("pk", flat=True))
    gone = owners - own
    if gone:
        gone -= set(User.objects.filter(pk__in=gone).values_list("pk", flat=True))
    counted = _of_days(sizes).order_by().values("user", "day").annotate(rows=db.Count("pk"))
    now = {(row["user"], row["day"]): row["rows"] for row in counted}
    found = [day for day, size in sizes.items() if day[0] in own and now.get(day, 0) == size]
    return found, [day for day in sizes if day[0] in gone]


@dataclass(frozen=True, slots=True)
class ListedUse:
    """The uses of a program, or of one address of it, in the days that are kept.

    `title` is the name for people, `label` what its owner calls the program, or "". `current_since`: since when it has
    been accepted with the token of the given generation; None if it has not.
    """

    title: str
    label: str
    name: str
    accepted: int
    refused: int
    first_at: datetime
    last_at: datetime
    current_since: datetime | None
    last_refused_at: datetime | None
    addresses: list["ListedUse"] = field(default_factory=list)


def programs_of(owner_id: int, generation: int) -> list[ListedUse]:
    """Return the programs that used an owner's tokens, each with its 20 last addresses, the last used first.

    Of more than 50 they are those with a label, and those that were used last.
    """
    rows = TokenUse.objects.filter(user=owner_id, day__gt=_first_pruned_after(timezone.now()))
    labels = dict(ProgramLabel.objects.filter(user=owner_id).values_list("program", "label"))
    totals = _totals(rows.values_list("program"), generation)
    if labels:
        has_none = db.Case(db.When(program__in=labels, then=0), default=1)
        totals = totals.order_by(has_none, *totals.query.order_by)
    found = (ListedUse(program_name(name), labels.get(name, ""), name, *rest) for name, *rest in totals[:MOST_PROGRAMS])
    programs = {use.name: use for use in sorted(found, key=lambda use: use.last_at, reverse=True)}
    places = _totals(rows.filter(program__in=programs).values_list("address", "program"), generation)
    last = db.Window(RowNumber(), partition_by="program", order_by=(db.F("used_at").desc(), "address"))
    for address, program, *values, _place in places.annotate(place=last).filter(place__lte=MOST_ADDRESSES):
        programs[program].addresses.append(ListedUse(address_name(address), "", address, *values))
    return list(programs.values())


def _totals(rows: Any, generation: int) -> Any:
    accepted, refused = Q(is_refused=False), Q(is_refused=True)
    return rows.annotate(
        accepted=db.Sum("count", filter=accepted, default=0),
        refused=db.Sum("count", filter=refused, default=0),
        began_at=db.Min("first_at"),
        used_at=db.Max("last_at"),
        current_since=db.Min("first_at", filter=accepted & Q(generation=generation)),
        refused_at=db.Max("last_at", filter=refused),
    ).order_by("-used_at", *rows.query.values_select)


def in_the_log(owner: User) -> Iterator[list[str]]:
    """Yield the uses of an owner's tokens as rows of the security log's file, the newest day first."""
    revoked, current = (
        tokens.filter(user=owner).order_by().values_list("generation", "hint")
        for tokens in (RevokedToken.objects, ApiToken.objects)
    )
    hints = dict(revoked.union(current, all=True))
    for use in TokenUse.objects.filter(user=owner).order_by("-day", "-last_at", "pk").iterator():
        # Translators: %(time)s is written as 2026-11-24T13:02:09+00:00, for programs.
        refused = ngettext(
            "%(count)s call refused, the first at %(time)s",
            "%(count)s calls refused, the first at %(time)s",
            use.count,
        )
        # Translators: %(time)s is written as 2026-11-24T13:02:09+00:00, for programs.
        accepted = ngettext(
            "%(count)s call accepted, the first at %(time)s",
            "%(count)s calls accepted, the first at %(time)s",
            use.count,
        )
        outcome = refused if use.is_refused else accepted
        yield [
            _iso(use.last_at),
            _("Use by a program"),
            outcome % {"count": use.count, "time": _iso(use.first_at)},
            hints.get(use.generation, ""),
            address_name(use.address),
            program_name(use.program),
        ]


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")


def _first_pruned_after(now: datetime) -> date:
    """Return the last day that is not kept any more."""
    return now.date() - timedelta(days=KEPT_DAYS)


def prune() -> Iterator[int]:
    """Delete the uses of days that are not kept any more; yield how many, batch by batch."""
    yield from delete_in_batches(TokenUse.objects.filter(day__lte=_first_pruned_after(timezone.now())))
