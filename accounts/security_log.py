"""The security log: what happened to an account and its token, when, from where and by which client.

Only `add` inserts events and only `forget` deletes old ones; deleting an account deletes its events too. No code
changes an event.

A flood neither fills the table nor hides other events: beyond a number of events of one kind and detail in an hour,
further ones are counted in another table. The limit for all networks is twice that for one network, so a flood from
one network does not hide an event from another.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from heapq import merge
from ipaddress import ip_network
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import CharField, F, Q, QuerySet, Value
from django.utils import timezone

from accounts.events import EventBase, EventCount, SecurityEvent
from accounts.mail import notices
from accounts.models import User
from accounts.orm.batches import delete_in_batches
from accounts.orm.compiled import Parameter
from accounts.web.clients import Client

Event = SecurityEvent | EventCount
Kind = EventBase.Kind
Detail = EventBase.Detail
# Of other rooms: what else the file of the log holds about an account's token, in the columns of the file.
token_rows: list[Callable[[User], Iterable[list[str]]]] = []
TOKEN_KINDS = [kind for kind in Kind if kind.startswith("token-")]

# Columns of events and of counts.
SHARED = ("at", "kind", "detail", "ip", "client")
# Anybody can cause failures, so fewer are listed.
FAILURES_AN_HOUR = 10
HOUR = timedelta(hours=1)
# The smallest network of a connection (RFC 6177).
IPV6_NETWORK = 64


def record(kind: Kind, owner: User, client: Client, detail: str = "", *, most: int | None = None) -> Event:
    """Add an event to the owner's log, with a `Detail` or none, and queue its mail if it has one.

    Call it inside the transaction of the change, so that all is written or nothing.
    """
    with transaction.atomic():
        event = add(kind, owner.pk, client, detail, most=most)
        notice = notices.NOTICES.get((kind, detail))
        if notice:
            notices.notify(event, owner, notice)
    return event


def record_failure(kind: Kind, owner: User, client: Client, detail: str) -> None:
    """Add or count an event that anybody can cause."""
    record(kind, owner, client, detail, most=FAILURES_AN_HOUR)


def add(
    kind: Kind, owner_id: int, client: Client, detail: str = "", *, most: int | None = None, **fields: Any
) -> Event:
    """Add an event, or count it if there were `most`, or `EVENTS_AN_HOUR`, alike in the last hour."""
    alike = SecurityEvent.objects.filter(user=owner_id, kind=kind, detail=detail)
    if _is_flooded(alike, client, most or settings.EVENTS_AN_HOUR):
        return _count(owner_id, kind, detail, client)
    return SecurityEvent.objects.create(
        user_id=owner_id, kind=kind, detail=detail, ip=client.ip, client=client.user_agent, **fields
    )


def of(owner: User | Parameter, kinds: Iterable[str] = ()) -> tuple[QuerySet[SecurityEvent], QuerySet[EventCount]]:
    """Return the events of an account and the counts of further ones, newest first, of some kinds or all."""
    chosen = Q(user=owner, kind__in=kinds) if kinds else Q(user=owner)
    events, counts = SecurityEvent.objects.filter(chosen), EventCount.objects.filter(chosen)
    return events.order_by("-at", "-pk"), counts.order_by("-at", "-pk")


def newest(events: QuerySet[SecurityEvent], counts: QuerySet[EventCount], most: int) -> Any:
    """Return a query for the newest rows of both, which `listed` reads."""
    single = SecurityEvent.objects.filter(pk__in=events.values("pk")[:most]).order_by()
    counted = EventCount.objects.filter(pk__in=counts.values("pk")[:most]).order_by()
    no_hint = Value(None, CharField())
    rows = single.values_list("pk", *SHARED, "hint", Value(0)).union(
        counted.values_list("pk", *SHARED, no_hint, "count"), all=True
    )
    return rows.order_by("-at", "-pk")[:most]


def listed(rows: Iterable[Any]) -> list[Event]:
    """Return the events of the rows of `newest`, for reading only."""
    return [
        EventCount(**dict(zip(SHARED, values, strict=True)), count=count)
        if count
        else SecurityEvent(**dict(zip(SHARED, values, strict=True)), hint=hint)
        for _pk, *values, hint, count in rows
    ]


def merged(*rows: Iterable[Event]) -> Iterator[Event]:
    return merge(*rows, key=attrgetter("at"), reverse=True)


def forget(before: datetime) -> Iterator[int]:
    """Delete the events of all accounts before a time, and yield the number of rows after each batch."""
    yield from delete_in_batches(SecurityEvent.objects.filter(at__lt=before))
    yield from delete_in_batches(EventCount.objects.filter(at__lt=before))


def people_with(kind: Kind, since: datetime) -> QuerySet[Any, Any]:
    """Return a query for the ids of the users who had an event of a kind since a time."""
    return SecurityEvent.objects.filter(kind=kind, at__gte=since).values("user")


def _is_flooded(alike: QuerySet[Any], client: Client, most: int) -> bool:
    """Return whether a query has `most` events of the last hour from the client's network, or twice as many in all."""
    recent = alike.filter(at__gte=timezone.now() - HOUR).order_by()
    networks = [_network(ip) for ip in recent.values_list("ip", flat=True)[: 2 * most]]
    return len(networks) == 2 * most or networks.count(_network(client.ip)) >= most


def _count(owner_id: int, kind: str, detail: str, client: Client) -> EventCount:
    """Count an event that is not listed, and store the time, address and client of the last one."""
    now = timezone.now()
    key = {"user_id": owner_id, "kind": kind, "detail": detail, "hour": now.replace(minute=0, second=0, microsecond=0)}
    counted = EventCount.objects.filter(**key)
    one_more = partial(counted.update, count=F("count") + 1, at=now, ip=client.ip, client=client.user_agent)
    if not one_more():
        # Of concurrent requests that find no row, one inserts it, and all count in it.
        EventCount.objects.bulk_create([EventCount(**key, at=now)], ignore_conflicts=True)
        one_more()
    return counted.get()


def _network(ip: str | None) -> str | None:
    return str(ip_network((ip, IPV6_NETWORK), strict=False)) if ip and ":" in ip else ip
