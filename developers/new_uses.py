"""Finds programs and addresses that are new to a token that has been in use for a week, for the security log."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Min
from django.utils import timezone

from accounts.mail.notices import notify
from accounts.security_log import Kind
from accounts.web.clients import Client
from developers.activity import record_event
from developers.models import ApiToken, TokenUse
from developers.notices import NEW_USE
from developers.programs import OTHERS, UNNAMED, UseKey, program_name

# Before, everything is new.
IN_USE_FOR = timedelta(days=7)


class NewUse(NamedTuple):
    kind: Kind
    token: ApiToken
    client: Client

    def record(self) -> None:
        event = record_event(self.kind, self.token, self.client)
        owner = self.token.user
        if owner.mails_new_uses and owner.is_active:
            notify(event, owner, NEW_USE)


def new_uses(owner_id: int, first_of_the_day: Mapping[UseKey, datetime]) -> list[NewUse]:
    """Return what is new of an owner's uses that were just written, the first ones of their day, with their times."""
    token = ApiToken.objects.select_related("user").filter(user=owner_id).first()
    fresh = {use: at for use, at in first_of_the_day.items() if token and _is_accepted(use, token.generation)}
    if not token or not fresh:
        return []
    rows = TokenUse.objects.filter(user=owner_id, is_refused=False)
    keys = rows.values_list("program", "address", "generation", "is_refused").order_by()
    began = {UseKey(*key): at for *key, at in keys.annotate(began_at=Min("first_at"))}
    in_use_since = min(at for use, at in began.items() if use.generation == token.generation)
    if timezone.now() - in_use_since < IN_USE_FOR:
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
