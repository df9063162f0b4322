"""Makes, lists, pauses, keeps and stops subscriptions.

A revoke pauses those of an account without a write: each holds the generation of its token, so a request that was
checked just before the revoke cannot make an active one after it. A report of exposure stops them for good.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import NamedTuple

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.keyring import Unreadable
from accounts.models import User
from accounts.orm.batches import delete_in_batches, delete_with_referrers
from accounts.orm.owners import changing
from accounts.security_log import Kind, add
from accounts.web.clients import Client
from developers.outbound import quotas, url_rules
from developers.outbound.recipe import Recipe, RecipeField
from developers.outbound.subscriptions.models import (
    SHOWN_OF_A_PATH,
    TRIED_FOR,
    Delivery,
    QueuedEvent,
    Subscription,
    Subscriptions,
)
from developers.outbound.url_rules import BadUrl
from developers.outbound.validation import first_problem

__all__ = [
    "BadUrl",
    "Webhook",
    "addresses",
    "after_revoke",
    "forget_old",
    "keep",
    "number_paused",
    "recipe_of",
    "shown",
    "shown_of",
    "stop",
    "subscribe",
    "unsubscribe",
]

STOPPED_KEPT_FOR = timedelta(days=30)
# Housekeeping comes later than the last attempt, which counts what it gives up.
SPARE = timedelta(hours=3)


class Webhook(NamedTuple):
    """What a program wants to subscribe: an address to an event of a bot."""

    bot_id: str
    event: str
    url: str


def subscribe(owner_id: int, generation: int, wanted: Webhook, client: Client) -> None:
    """Subscribe an address to an event of a bot. One that is there already is set up anew, also if it was paused.

    Raises `BadUrl` with a sentence, `QuotaExceeded`, and `Gone`.
    """
    problem = first_problem(recipe_of(wanted.url, "{}"))
    if problem:
        raise BadUrl(problem)
    with changing(owner_id):
        for known in _same(owner_id, wanted):
            if known.generation < generation:
                # Only the generation: what is there may be newer by now.
                Subscription.objects.filter(pk=known.pk, generation=known.generation).update(generation=generation)
                _record(Kind.WEBHOOK_MADE, known, client)
            return
        quotas.SUBSCRIPTIONS.check(Subscription.objects.owned_by(owner_id).filter(stopped_at=None).count())
        new = Subscription(owner_id=owner_id, generation=generation, bot_id=wanted.bot_id, event=wanted.event)
        new.host, new.beginning = shown_of(wanted.url)
        new.ip, new.client = client.ip, client.user_agent
        new.seal(wanted.url)
        new.save(force_insert=True)
        _record(Kind.WEBHOOK_MADE, new, client)


def unsubscribe(owner_id: int, unwanted: Webhook, client: Client) -> None:
    """Delete the subscription of an address. Does nothing where there is none."""
    with changing(owner_id):
        for known in _same(owner_id, unwanted):
            _delete(known, client)


def addresses(owner_id: int, bot_id: str, event: str) -> list[str]:
    """Return the addresses that get an event of a bot."""
    listed = Subscription.objects.current().owned_by(owner_id).filter(bot_id=bot_id, event=event)
    return [url for url in map(_url, listed) if url is not None]


def keep(owner_id: int, subscription_id: str, generation: int, client: Client) -> bool:
    """Resume a paused subscription, with the token of a generation. Return whether it was paused."""
    with changing(owner_id):
        found = Subscription.objects.owned_by(owner_id).filter(pk=subscription_id)
        kept = found.filter(stopped_at=None, generation__lt=generation).update(generation=generation)
        if kept:
            _record(Kind.WEBHOOK_RESUMED, found.get(), client)
        return bool(kept)


def stop(owner_id: int, subscription_id: str, client: Client) -> bool:
    """Delete a subscription and what waits for it. Return whether there was one."""
    with changing(owner_id):
        found = Subscription.objects.owned_by(owner_id).filter(pk=subscription_id).first()
        if found:
            _delete(found, client)
        return found is not None


def after_revoke(owner: User, generation: int, client: Client, *, is_exposed: bool) -> int:
    """Record that a revoke of a generation paused subscriptions, and return how many. Stop them if it was exposed.

    Part of the revoke's transaction, so it takes one statement where there are none.
    """
    made = Subscription.objects.owned_by(owner).filter(stopped_at=None)
    if is_exposed:
        # Older ones too: whoever found the token may have had it for long.
        # Locked in the order in which a worker locks them, so that neither waits for the other.
        keys = list(made.select_for_update().order_by("pk").values_list("pk", flat=True))
        changes = {"stopped_at": timezone.now(), "next_at": None, "sealed": "", "key_id": ""}
        ended = Subscription.objects.filter(pk__in=keys).update(**changes)
    else:
        ended = made.filter(generation=generation).count()
    if ended:
        add(Kind.WEBHOOKS_STOPPED if is_exposed else Kind.WEBHOOKS_PAUSED, owner.pk, client)
    return ended


def shown(owner: User) -> Subscriptions:
    """Return the subscriptions of an account that its page lists."""
    return Subscription.objects.owned_by(owner)


def number_paused() -> Coalesce:
    """Return an expression for how many subscriptions of the `user` of a row wait for their owner."""
    paused = Subscription.objects.paused().filter(owner=OuterRef("user")).order_by().values("owner")
    return Coalesce(Subquery(paused.annotate(number=Count("pk")).values("number")), 0)


def forget_old() -> Iterator[int]:
    """Delete what was stopped long ago, and what waited for more than a day. Yield the number of each batch."""
    now = timezone.now()
    return chain(
        delete_in_batches(Delivery.objects.filter(created_at__lt=now - TRIED_FOR - SPARE)),
        delete_in_batches(QueuedEvent.objects.filter(created_at__lt=now - TRIED_FOR)),
        delete_with_referrers(Subscription.objects.filter(stopped_at__lt=now - STOPPED_KEPT_FOR)),
    )


def recipe_of(url: str, body: str, headers: tuple[RecipeField, ...] = ()) -> Recipe:
    """Return the call that sends a body to an address."""
    address, parameters = url_rules.split(url)
    return Recipe("POST", address, parameters=parameters, headers=headers, body=body)


def shown_of(url: str) -> tuple[str, str]:
    """Return the server of an address, and its beginning, which holds at most a quarter of its path."""
    read = url_rules.read(url)
    path = read.raw_path.decode()
    number = min(SHOWN_OF_A_PATH, len(path) // 4)
    return read.raw_host.decode(), f"{read.scheme}://{read.netloc.decode()}{path[:number] or '/'}…"


def _same(owner_id: int, webhook: Webhook) -> list[Subscription]:
    alike = Subscription.objects.owned_by(owner_id).filter(bot_id=webhook.bot_id, event=webhook.event, stopped_at=None)
    return [known for known in alike if _url(known) == webhook.url]


def _url(subscription: Subscription) -> str | None:
    try:
        return subscription.url()
    except Unreadable:
        return None


def _delete(subscription: Subscription, client: Client) -> None:
    _record(Kind.WEBHOOK_STOPPED, subscription, client)
    Delivery.objects.filter(subscription=subscription.pk).delete()
    Subscription.objects.filter(pk=subscription.pk).delete()


def _record(kind: Kind, subscription: Subscription, client: Client) -> None:
    add(kind, subscription.owner_id, client, place=subscription.host)
