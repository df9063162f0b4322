"""Issuing, revoking and revealing tokens: the only code that writes their tables.

There is no moment with two valid tokens or with none. A revoke is one conditional UPDATE
of the one row, so of any number of revokes of one generation exactly one takes effect.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import security_log
from accounts.keyring import Unreadable
from accounts.models import User
from accounts.orm.batches import BATCH, delete_in_batches
from accounts.orm.bulk import bulk_writes
from accounts.security_log import TOKEN_KINDS, Event, Kind, Note
from accounts.web.clients import Client
from developers import metrics, notices, tokens, vault
from developers.models import ApiToken, RevokedToken
from developers.tokens import Secret

logger = logging.getLogger(__name__)

LAST_USE_RESOLUTION = timedelta(minutes=1)
REVOKED_KEPT_FOR = timedelta(days=90)
REVOKED_KEPT_AT_MOST = 20
# The owner's own programs run into a revoke at once, which its own mail has just said. One that still
# knocks after an hour was forgotten, or is not theirs.
SETTLES_WITHIN = timedelta(hours=1)
TOLD_EVERY = timedelta(days=1)

count_revocation = metrics.counter(
    "botpenguin_token_revocations", "Revoked tokens, by why they were revoked.", "reason", RevokedToken.Reason.values
)


class Verdict(StrEnum):
    REPLACED = "replaced"
    IN_USE = "in-use"
    ALREADY_REPLACED = "already-replaced"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a revoke: the current token, and the revoked row of the generation asked for, if there is one."""

    verdict: Verdict
    token: ApiToken
    revoked: RevokedToken | None


def token_of(owner: User, client: Client) -> ApiToken:
    """Return the owner's token, and make their first one if they have none yet."""
    token = ApiToken.objects.filter(user=owner).first()
    return token or issue(owner, client)


@sensitive_variables("secret", "sealed")
def issue(owner: User, client: Client) -> ApiToken:
    """Make the owner's first token. Of several at once one makes it, and all return it."""
    secret = tokens.generate()
    sealed = vault.seal(owner.pk, 1, secret)
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(
                user=owner,
                digest=sealed.digest,
                ciphertext=sealed.ciphertext,
                key_id=sealed.key_id,
                binding=sealed.binding,
                hint=secret.hint,
            )
            _record(Kind.TOKEN_ISSUED, token, client, at=token.issued_at)
            return token
    except IntegrityError:
        return ApiToken.objects.get(user=owner)


@sensitive_variables("secret", "sealed")
def revoke(
    owner: User,
    generation: int,
    client: Client,
    *,
    even_if_used: bool,
    reason: RevokedToken.Reason = RevokedToken.Reason.OWNER,
) -> Outcome:
    """Replace the owner's token of this generation, and no other, by a fresh one.

    With `even_if_used` false, a token that has been used, even in this very instant, is
    left alone and the verdict is IN_USE: ask first. The old secret is not needed, so a row
    that cannot be unsealed is replaced all the same. When this returns the change is committed,
    unless the caller holds a transaction of its own.
    """
    with transaction.atomic():
        # Locked, so that what is kept of the old token is what it was at its last moment.
        old = ApiToken.objects.select_for_update().filter(user=owner).first()
        if old is None:
            return Outcome(Verdict.ALREADY_REPLACED, issue(owner, client), None)
        secret = tokens.generate()
        sealed = vault.seal(owner.pk, generation + 1, secret)
        now = timezone.now()
        replaceable = ApiToken.objects.filter(user=owner, generation=generation)
        if not even_if_used:
            replaceable = replaceable.filter(last_used_at__isnull=True)
        replaced = replaceable.update(
            digest=sealed.digest,
            ciphertext=sealed.ciphertext,
            key_id=sealed.key_id,
            binding=sealed.binding,
            hint=secret.hint,
            generation=generation + 1,
            issued_at=now,
            last_used_at=None,
            last_used_ip=None,
            last_used_client=None,
        )
        current = ApiToken.objects.get(user=owner)
        if not replaced:
            revoked = RevokedToken.objects.filter(user=owner, generation=generation).first()
            in_use = current.generation == generation
            return Outcome(Verdict.IN_USE if in_use else Verdict.ALREADY_REPLACED, current, revoked)
        revoked = _archive(old, now, reason)
        event = _record(Kind.TOKEN_REVOKED, old, client, at=now, note=_note(old, reason))
        _record(Kind.TOKEN_ISSUED, current, client, at=now)
        notices.token_revoked(owner, event, revoked)
        # Robust: the token is revoked by then, and no full disk of the metrics' files may say otherwise.
        transaction.on_commit(partial(count_revocation, reason.value), robust=True)
    return Outcome(Verdict.REPLACED, current, revoked)


def revoke_current(owner: User, client: Client, *, reason: RevokedToken.Reason) -> RevokedToken | None:
    """Replace whatever token the owner has at this moment; return the revoked one, or None where there is none.

    Inside a transaction nobody can slip a revoke of their own between this one and its commit.
    """
    with transaction.atomic():
        current = ApiToken.objects.select_for_update().filter(user=owner).first()
        if current is None:
            return None
        return revoke(owner, current.generation, client, even_if_used=True, reason=reason).revoked


def revoke_all(
    chosen: QuerySet[ApiToken], client: Client, reason: RevokedToken.Reason, *, waits_for_others: bool = True
) -> int:
    """Replace tokens as they are now, each in a transaction of its own, and return how many that were.

    So nobody waits for more than their own, and what an interrupted run did is done. A request that takes no turns with
    other bulk work is never refused: give it few tokens.
    """
    revoked, last = 0, 0
    while batch := list(chosen.filter(pk__gt=last).select_related("user").order_by("pk")[:BATCH]):
        for token in batch:
            with bulk_writes(waits_for_others=waits_for_others):
                outcome = revoke(token.user, token.generation, client, even_if_used=True, reason=reason)
            revoked += outcome.verdict is Verdict.REPLACED
        last = batch[-1].pk
    return revoked


@sensitive_variables("secret", "sealed")
def reseal(token: ApiToken) -> bool:
    """Seal, digest and bind a token anew under the first key of the ring; return whether its row was changed.

    Not where its owner has revoked it meanwhile, and not where it cannot be read: only a revoke helps it.
    """
    try:
        secret = vault.unseal(token.user_id, token.generation, token.sealed)
    except Unreadable:
        return False
    sealed = vault.seal(token.user_id, token.generation, secret)
    as_read = ApiToken.objects.filter(user=token.user_id, generation=token.generation, digest=token.digest)
    with bulk_writes():
        changed = as_read.update(
            digest=sealed.digest, ciphertext=sealed.ciphertext, key_id=sealed.key_id, binding=sealed.binding
        )
    return bool(changed)


def reveal(owner: User, kind: Kind, client: Client) -> Secret:
    """Open the owner's token for display, and record that it was shown, copied or tried out.

    Raises `Unreadable`, after logging it, where the row's parts do not fit each other.
    """
    token = token_of(owner, client)
    try:
        secret = vault.unseal(owner.pk, token.generation, token.sealed)
        if not token.is_bound:
            raise Unreadable("its binding is not of this row")
    except Unreadable as error:
        logger.error("The token of user %s, generation %s, is not shown: %s.", owner.pk, token.generation, error)
        raise
    _record(kind, token, client)
    return secret


def recent_events(owner: User, most: int) -> list[Event]:
    """Return what happened to a person's token last."""
    events, counts = security_log.of(owner, TOKEN_KINDS)
    # By an index of their own.
    listed = list(events.filter(generation__isnull=False)[:most])
    if len(listed) < min(most, settings.EVENTS_AN_HOUR):
        # Nothing is counted before so many are listed.
        return [*listed]
    return list(islice(security_log.merged(listed, counts[:most]), most))


def record_use(owner_id: int, generation: int, client: Client) -> None:
    """Note when, from where and by what a token was used, at most once a minute."""
    now = timezone.now()
    stale = ApiToken.objects.filter(
        Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USE_RESOLUTION),
        user=owner_id,
        generation=generation,
    )
    stale.update(last_used_at=now, last_used_ip=client.ip, last_used_client=client.user_agent)


def record_refusals(revoked_id: int, count: int, client: Client) -> None:
    """Add refusals to a revoked token, put a day's first into its owner's activity, and mail them once a day."""
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
            event = _record(Kind.TOKEN_REFUSED, revoked.get(), client, at=now)
        untold = revoked.filter(
            Q(owner_told_at__isnull=True) | Q(owner_told_at__lt=now - TOLD_EVERY),
            revoked_at__lt=now - SETTLES_WITHIN,
            # One that is being deleted has no address any more.
            user__is_active=True,
        )
        if untold.update(owner_told_at=now):
            token = revoked.select_related("user").get()
            # A day apart, two mails never tell of the same event, of which there is one a calendar day.
            days_refusals = security_log.of(token.user, [Kind.TOKEN_REFUSED])[0].filter(generation=token.generation)
            notices.token_still_in_use(
                token, event or days_refusals.first() or _record(Kind.TOKEN_REFUSED, token, client)
            )


def forget_revoked(before: datetime) -> Iterator[int]:
    """Delete revoked tokens that were neither revoked nor tried since a moment, and yield how many, batch by batch."""
    yield from delete_in_batches(_last_seen_before(before, RevokedToken.objects.all()))


def _record(kind: Kind, token: ApiToken | RevokedToken, client: Client, note: str = "", **fields: Any) -> Event:
    """Add an event of a token, or count one that comes on top of many."""
    return security_log.add(kind, token.user_id, client, note, hint=token.hint, generation=token.generation, **fields)


def _archive(old: ApiToken, now: datetime, reason: RevokedToken.Reason) -> RevokedToken:
    """Keep what is told of a revoked token, and forget the owner's oldest ones."""
    buried = RevokedToken.objects.filter(user=old.user_id)
    _last_seen_before(now - REVOKED_KEPT_FOR, buried).delete()
    newest = buried.order_by("-generation").values("pk")[: REVOKED_KEPT_AT_MOST - 1]
    buried.exclude(pk__in=list(newest.values_list("pk", flat=True))).delete()
    return RevokedToken.objects.create(
        user_id=old.user_id,
        digest=old.digest,
        key_id=old.key_id,
        hint=old.hint,
        generation=old.generation,
        revoked_at=now,
        reason=reason,
        last_used_at=old.last_used_at,
        last_used_ip=old.last_used_ip,
        last_used_client=old.last_used_client,
    )


def _last_seen_before(moment: datetime, rows: QuerySet[RevokedToken]) -> QuerySet[RevokedToken]:
    return rows.filter(revoked_at__lt=moment).exclude(last_refused_at__gte=moment)


def _note(old: ApiToken, reason: RevokedToken.Reason) -> str:
    if reason is not RevokedToken.Reason.OWNER:
        return Note.__members__[reason.name]
    return "" if _is_readable(old) else Note.UNREADABLE


def _is_readable(token: ApiToken) -> bool:
    try:
        vault.unseal(token.user_id, token.generation, token.sealed)
    except Unreadable:
        return False
    return True
