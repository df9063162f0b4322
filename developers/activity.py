"""The events of tokens in the owner's security log."""

from itertools import islice
from typing import Any

from django.conf import settings

from accounts import security_log
from accounts.models import User
from accounts.security_log import TOKEN_KINDS, Event, Kind
from accounts.web.clients import Client
from developers.models import ApiToken, RevokedToken


def record_event(kind: Kind, token: ApiToken | RevokedToken, client: Client, detail: str = "", **fields: Any) -> Event:
    """Add an event of a token, or count one that comes on top of many."""
    return security_log.add(kind, token.user_id, client, detail, hint=token.hint, generation=token.generation, **fields)


def recent_events(owner: User, most: int) -> list[Event]:
    """Return what happened to a person's token last."""
    events, counts = security_log.of(owner, TOKEN_KINDS)
    # By an index of their own.
    listed = list(events.filter(generation__isnull=False)[:most])
    if len(listed) < min(most, settings.EVENTS_AN_HOUR):
        # Nothing is counted before so many are listed.
        return [*listed]
    return list(islice(security_log.merged(listed, counts[:most]), most))
