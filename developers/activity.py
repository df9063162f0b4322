"""The events of tokens in the owner's security log."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db.models import BigIntegerField

from accounts import security_log
from accounts.models import User
from accounts.orm.compiled import CompiledQuery, Parameter
from accounts.security_log import Event, Kind
from accounts.web.clients import Client
from developers.models import ApiToken, RevokedToken


def record_event(kind: Kind, token: ApiToken | RevokedToken, client: Client, detail: str = "", **fields: Any) -> Event:
    """Add an event of a token, or count one that comes on top of many."""
    return security_log.add(kind, token.user_id, client, detail, hint=token.hint, generation=token.generation, **fields)


def recent_events(owner: User, kinds: Iterable[Kind], most: int) -> list[Event]:
    """Return what happened to a person's token last, of some kinds, in one query."""
    return security_log.listed(_recent(tuple(kinds), most).rows(owner=owner.pk))


@cache
def _recent(kinds: Sequence[Kind], most: int) -> CompiledQuery:
    def build() -> Any:
        events, counts = security_log.of(Parameter("owner", BigIntegerField()), kinds)
        # By an index of their own.
        return security_log.newest(events.filter(generation__isnull=False), counts, most)

    return CompiledQuery(build)
