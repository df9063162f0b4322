"""The security log: what happened to an account, when, from where and by which client.

`record` is the only code that adds events and `forget` the only one that removes old ones; they
go with their account besides. Nothing changes an event. What happened to the token is told by
the events of `developers.issuance`, and `developers.security_log` shows both in one list.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import notices
from accounts.batches import delete_in_batches
from accounts.clients import Client
from accounts.events import SecurityEvent
from accounts.models import User

Kind = SecurityEvent.Kind
Means = SecurityEvent.Means

# Strangers can make these happen: a flood of them must neither fill the table nor bury the rest.
FAILURES = (Kind.SIGN_IN_FAILED, Kind.CONFIRMING_FAILED, Kind.PASSKEY_COPIED)
FAILURES_AN_HOUR = 10


def record(kind: Kind, owner: User, client: Client, means: str = "") -> SecurityEvent:
    """Add an event to the owner's log, with one of `Means` or none, and queue the mail that it is worth.

    Call it inside the transaction of what happened: all of it is written, or none.
    """
    with transaction.atomic():
        event = SecurityEvent.objects.create(
            user_id=owner.pk, kind=kind, means=means, ip=client.ip, client=client.user_agent
        )
        notice = notices.NOTICES.get((kind, means))
        if notice:
            notices.tell(event, owner, notice)
    return event


def record_failure(kind: Kind, owner: User, client: Client, means: str) -> None:
    """Add one of `FAILURES`, of which `FAILURES_AN_HOUR` by each means are kept: wrong passwords hide no wrong code."""
    if not _is_flooded(owner, kind, means):
        record(kind, owner, client, means)


def forget(before: datetime) -> Iterator[int]:
    """Delete what happened before a moment, whosever it is, and yield how many events that were, batch by batch."""
    return delete_in_batches(SecurityEvent.objects.filter(at__lt=before))


def people_with(kind: Kind, since: datetime) -> QuerySet[Any, Any]:
    """Return, for queries, the ids of those to whom something happened since a moment."""
    return SecurityEvent.objects.filter(kind=kind, at__gte=since).values("user")


def _is_flooded(owner: User, kind: Kind, means: str) -> bool:
    alike = SecurityEvent.objects.filter(user=owner.pk, kind=kind, means=means)
    return alike.filter(at__gte=timezone.now() - timedelta(hours=1)).count() >= FAILURES_AN_HOUR
