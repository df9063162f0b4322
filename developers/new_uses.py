"""Finds programs and addresses that are new to a token that has been in use for a week, for the security log."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.db.models import Min
from django.utils import timezone

from accounts.mail.notices import notify
from accounts.orm import best_effort
from accounts.security_log import Event, Kind
from accounts.web.clients import Client
from developers.activity import record_event
from developers.models import ApiToken, TokenUse
from developers.notices import NEW_USE
from developers.programs import OTHERS, UNNAMED, UseKey, program_name

# Before, everything is new.
IN_USE_FOR = timedelta(days=7)
# Each holds SQLite's write lock for about a millisecond.
RECORDED_AT_ONCE = 3

OwnersDay = tuple[int, date]


class NewUse(NamedTuple):
    kind: Kind
    token: ApiToken
    client: Client

    def record(self) -> Event:
        return record_event(self.kind, self.token, self.client)

    def mail(self, event: Event) -> None:
        owner = self.token.user
        if owner.mails_new_uses and owner.is_active:
            best_effort.try_in_background("A mail about a new use", lambda: notify(event, owner, NEW_USE))


class NewUseEvents:
    """Records new uses of owners' days: the first ones in the transaction of their counts, those of a flood after it.

    Mails are queued afterwards: to render one takes longer than SQLite's write lock should be held.
    """

    def __init__(self, found: Sequence[tuple[OwnersDay, NewUse]]) -> None:
        self._first, self._rest = found[:RECORDED_AT_ONCE], found[RECORDED_AT_ONCE:]
        self._recorded: list[tuple[NewUse, Event]] = []

    def record_first(self, days: Collection[OwnersDay]) -> None:
        """Record the first ones of the days that are written."""
        self._recorded += [(new, new.record()) for day, new in self._first if day in days]

    def record_rest(self, days: Collection[OwnersDay]) -> None:
        """Record the others, each in a transaction of its own, and queue the mails of all."""
        for day, new in self._rest:
            if day in days:
                best_effort.try_in_background("A new program or address", partial(self.record_one, new))
        for new, event in self._recorded:
            new.mail(event)

    def record_one(self, new: NewUse) -> None:
        self._recorded.append((new, new.record()))


def new_uses(owner_id: int, first_of_the_day: Mapping[UseKey, datetime]) -> list[NewUse]:
    """Return what is new of an owner's uses that are not written yet, the first ones of their day, with their times."""
    token = ApiToken.objects.select_related("user").filter(user=owner_id).first()
    fresh = {use: at for use, at in first_of_the_day.items() if token and _is_accepted(use, token.generation)}
    if not token or not fresh:
        return []
    rows = TokenUse.objects.filter(user=owner_id, is_refused=False)
    keys = rows.values_list("program", "address", "generation", "is_refused").order_by()
    began = {UseKey(*key): at for *key, at in keys.annotate(began_at=Min("first_at"))}
    in_use_since = min((at for use, at in began.items() if use.generation == token.generation), default=None)
    if in_use_since is None or timezone.now() - in_use_since < IN_USE_FOR:
        return []
    known = [use for use, at in began.items() if use not in fresh or at < fresh[use]]
    programs, addresses = {use.program for use in known}, {use.address for use in known}
    return [
        NewUse(kind, token, Client(use.address.partition("/")[0] or None, program_name(use.program)))
        for kind, use in _new(fresh, programs, addresses)
    ]


def _is_accepted(use: UseKey, generation: int) -> bool:
    return use.generation == generation and not use.is_refused and OTHERS not in (use.program, use.address)


def _new(fresh: Collection[UseKey], programs: set[str], addresses: set[str]) -> list[tuple[Kind, UseKey]]:
    """Return one use for each new program, and one for each new address of a known program."""
    by_program = {use.program: (Kind.TOKEN_NEW_PROGRAM, use) for use in fresh if use.program not in programs}
    by_address = {
        use.address: (Kind.TOKEN_NEW_ADDRESS, use)
        for use in fresh
        if use.program in programs and use.address not in addresses | {UNNAMED}
    }
    return [*by_program.values(), *by_address.values()]
