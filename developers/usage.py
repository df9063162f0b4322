"""Records the uses of tokens and the refusals of revoked ones, and prunes revoked tokens.

Beside `issuance`, the only code that writes the tables of tokens. `program_uses` writes who uses them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts import security_log
from accounts.orm.batches import delete_in_batches
from accounts.security_log import Kind
from accounts.web.clients import Client
from developers import notices
from developers.activity import record_event
from developers.models import ApiToken, RevokedToken

LAST_USE_RESOLUTION = timedelta(minutes=1)
REVOKED_KEPT_FOR = timedelta(days=90)
# Right after a revoke, the owner's own programs still use the old token, and the mail about the revoke has said so. One
# that still uses it after an hour was forgotten, or belongs to somebody else.
GRACE_PERIOD = timedelta(hours=1)
NOTICE_INTERVAL = timedelta(days=1)


def record_use(owner_id: int, generation: int, client: Client) -> None:
    """Record the time and the client of a token's use, at most once a minute."""
    now = timezone.now()
    stale = ApiToken.objects.filter(
        Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USE_RESOLUTION),
        user=owner_id,
        generation=generation,
    )
    stale.update(last_used_at=now, last_used_ip=client.ip, last_used_client=client.user_agent)


def record_refusals(revoked_id: int, count: int, client: Client) -> None:
    """Add refusals to a revoked token; log the first of each day, and mail the owner at most once a day."""
    now = timezone.now()
    revoked = RevokedToken.objects.filter(pk=revoked_id)
    with transaction.atomic():
        revoked.update(
            refused_count=F("refused_count") + count,
            last_refused_at=now,
            last_refused_ip=client.ip,
            last_refused_client=client.user_agent,
        )
        unreported = revoked.filter(Q(refusal_reported_on__isnull=True) | Q(refusal_reported_on__lt=now.date()))
        event = None
        if unreported.update(refusal_reported_on=now.date()):
            event = record_event(Kind.TOKEN_REFUSED, revoked.get(), client, at=now)
        due = revoked.filter(
            Q(owner_told_at__isnull=True) | Q(owner_told_at__lt=now - NOTICE_INTERVAL),
            revoked_at__lt=now - GRACE_PERIOD,
            # An account that is being deleted has no email address any more.
            user__is_active=True,
        )
        if due.update(owner_told_at=now):
            token = revoked.select_related("user").get()
            # Events are at most one a calendar day and mails a day apart, so no two mails are about the same event.
            refusals = security_log.of(token.user, [Kind.TOKEN_REFUSED])[0].filter(generation=token.generation)
            notices.token_still_in_use(
                token, event or refusals.first() or record_event(Kind.TOKEN_REFUSED, token, client)
            )


def dismiss_list(owner_id: int, generation: int) -> None:
    """Dismiss the list of who has moved on from an owner's revoked tokens, up to a generation."""
    listed = RevokedToken.objects.filter(user=owner_id, generation__lte=generation, list_dismissed_at__isnull=True)
    listed.update(list_dismissed_at=timezone.now())


def prune_revoked(before: datetime) -> Iterator[int]:
    """Delete tokens neither revoked nor refused since a time; yield how many, batch by batch."""
    yield from delete_in_batches(unused_since(before, RevokedToken.objects.all()))


def unused_since(time: datetime, rows: QuerySet[RevokedToken]) -> QuerySet[RevokedToken]:
    """Filter for tokens that were neither revoked nor refused since a time."""
    return rows.filter(revoked_at__lt=time).exclude(last_refused_at__gte=time)
