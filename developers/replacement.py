"""Lists who uses a token before its revoke, and who uses the new token afterwards.

Who is a program and an address together, since two scripts may have one name.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple

from django.db.models import Case, F, Max, Min, OuterRef, QuerySet, Subquery, Sum, When
from django.utils import timezone

from developers.models import ApiToken, ProgramLabel, RevokedToken, TokenUse
from developers.programs import address_name, program_name

LISTED_FOR = timedelta(days=14)
# A refusal is the state for so long, even of a program that uses the new token too.
REFUSALS_OUTRANK_FOR = timedelta(hours=24)
MOST_ROWS = 2_000
MOST_LISTED = 100


class State(StrEnum):
    SENDS_OLD = "sends-old"
    SILENT = "silent"
    MOVED = "moved"


class TokenUser(NamedTuple):
    """A program that sends a token, its owner's label for it or "", and when it was last accepted or refused."""

    program: str
    label: str
    used_at: datetime


class _Use(NamedTuple):
    """The uses of one generation by one program and address, all of them either accepted or refused."""

    program: str
    address: str
    generation: int
    is_refused: bool
    label: str | None
    number: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Mover:
    """A program and its address, in words for people, and how it uses the old tokens and the new one.

    `label`: what its owner calls the program, or "".
    """

    program: str
    label: str
    address: str
    state: State
    refused: int
    refused_at: datetime | None
    moved_at: datetime | None


@dataclass(frozen=True)
class Replacement:
    """Who has moved from the token of a generation to the next. `still_in_use`: other revoked tokens to warn about."""

    generation: int
    movers: Sequence[Mover]
    still_in_use: Sequence[RevokedToken]

    @cached_property
    def moved(self) -> int:
        return sum(mover.state is State.MOVED for mover in self.movers)

    @property
    def is_over(self) -> bool:
        return self.moved == len(self.movers)

    @property
    def version(self) -> str:
        """Return a digest of what the list says: times are shown with the date from the next day on."""
        return blake2b(repr((timezone.localdate(), self.movers)).encode(), digest_size=8).hexdigest()


def users_of(token: ApiToken) -> list[TokenUser]:
    """Return the programs that use a token, the last used first."""
    return _programs(token, is_refused=False)


def refused_programs(revoked: RevokedToken) -> list[TokenUser]:
    """Return the programs that a revoked token was refused to, the last one first."""
    return _programs(revoked, is_refused=True)


def _programs(token: ApiToken | RevokedToken, *, is_refused: bool) -> list[TokenUser]:
    rows = _labeled(TokenUse.objects.filter(user=token.user_id, generation=token.generation, is_refused=is_refused))
    programs = rows.values_list("program", "label").annotate(used_at=Max("last_at"))
    last = programs.order_by("-used_at", "program")[:MOST_LISTED]
    return [TokenUser(program_name(program), label or "", used_at) for program, label, used_at in last]


def _labeled(rows: QuerySet[TokenUse]) -> Any:
    labels = ProgramLabel.objects.filter(user=OuterRef("user"), program=OuterRef("program"))
    return rows.order_by().annotate(label=Subquery(labels.values("label")))


def replacement_of(token: ApiToken, revoked_tokens: Sequence[RevokedToken]) -> Replacement:
    """Return who has moved to an owner's current token, by all of the owner's revoked ones. Takes at most one query."""
    now = timezone.now()
    listed = [revoked.generation for revoked in revoked_tokens if _is_listed(revoked, now)]
    in_use = [revoked for revoked in revoked_tokens if _is_warned_of(revoked)]
    generations = listed + [revoked.generation for revoked in in_use]
    if not generations:
        return Replacement(token.generation - 1, [], [])
    uses = _uses(token, min(generations))
    states = {who: _mover(who, token.generation, found, now) for who, found in uses.items()}
    movers = [states[who] for who in _shown(uses, listed)]
    movers.sort(key=lambda mover: list(State).index(mover.state))
    is_shown = any(mover.state is not State.MOVED for mover in movers)
    shown = set(listed) if is_shown else set[int]()
    warned = [revoked for revoked in in_use if not _is_known(revoked, uses, states, shown)]
    return Replacement(token.generation - 1, movers, warned)


_Who = tuple[str, str]


def _uses(token: ApiToken, oldest: int) -> dict[_Who, list[_Use]]:
    """Return the uses of a token and of its owner's revoked ones from a generation on, by who, the last used first."""
    rows = _labeled(TokenUse.objects.filter(user=token.user_id, generation__gte=oldest)).values_list(*_Use._fields[:5])
    totals = rows.annotate(number=Sum("count"), began_at=Min("first_at"), used_at=Max("last_at"))
    is_earlier = Case(When(generation=token.generation, is_refused=False, then=0), default=1)
    # The names that a leaked token brings come after those that were there before.
    known_first = totals.order_by(F("label").asc(nulls_last=True), is_earlier, "began_at", *_Use._fields[:4])
    uses = defaultdict[_Who, list[_Use]](list)
    for values in known_first[:MOST_ROWS]:
        use = _Use(*values)
        uses[use.program, use.address].append(use)
    last_used = sorted(sorted(uses.items()), key=lambda item: max(use.last_at for use in item[1]), reverse=True)
    return dict(last_used)


def _shown(uses: dict[_Who, list[_Use]], listed: Sequence[int]) -> list[_Who]:
    """Return who used one of the listed tokens: of too many, those with a label, and those who were there first."""
    found = [who for who, theirs in uses.items() if any(use.generation in listed for use in theirs)]
    ranked = sorted(found, key=lambda who: (not uses[who][0].label, min(use.first_at for use in uses[who])))
    kept = set(ranked[:MOST_LISTED])
    return [who for who in found if who in kept]


def _mover(who: _Who, current: int, uses: list[_Use], now: datetime) -> Mover:
    refusals = [use for use in uses if use.is_refused and use.generation < current]
    refused_at = max((use.last_at for use in refusals), default=None)
    moved_at = min((use.first_at for use in uses if use.generation == current and not use.is_refused), default=None)
    if refused_at and (moved_at is None or now - refused_at < REFUSALS_OUTRANK_FOR):
        state = State.SENDS_OLD
    else:
        state = State.MOVED if moved_at else State.SILENT
    program, address = who
    refused = sum(use.number for use in refusals)
    label = uses[0].label or ""
    return Mover(program_name(program), label, address_name(address), state, refused, refused_at, moved_at)


def _is_listed(revoked: RevokedToken, now: datetime) -> bool:
    return now - revoked.revoked_at < LISTED_FOR and revoked.list_dismissed_at is None


def _is_warned_of(revoked: RevokedToken) -> bool:
    """Return whether a revoked token is still in use, and was refused after its owner dismissed the list."""
    dismissed_at, refused_at = revoked.list_dismissed_at, revoked.last_refused_at
    return revoked.is_still_in_use and not (dismissed_at and refused_at and refused_at <= dismissed_at)


def _is_known(revoked: RevokedToken, uses: dict[_Who, list[_Use]], states: dict[_Who, Mover], listed: set[int]) -> bool:
    """Return whether the list shows who sends a revoked token, or all of them have moved."""
    senders = [
        states[who]
        for who, found in uses.items()
        if any(use.is_refused and use.generation == revoked.generation for use in found)
    ]
    # Those of a server of before have no uses by program.
    if not senders:
        return False
    return revoked.generation in listed or all(sender.state is State.MOVED for sender in senders)
