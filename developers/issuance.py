"""Issues, revokes and reveals tokens. Only this module and `usage` write the tables of the token.

At no time does a user have two valid tokens, or none. A revoke is one conditional UPDATE of the one row, so of
any number of revokes of one generation exactly one takes effect.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.keyring import Unreadable
from accounts.models import User
from accounts.orm.batches import BATCH
from accounts.orm.bulk import bulk_writes
from accounts.orm.confirmations import confirm, remember_own
from accounts.security_log import Detail, Kind
from accounts.web.clients import Client
from developers import metrics, notices, tokens, usage, vault
from developers.activity import record_event
from developers.models import ApiToken, RevokedToken
from developers.tokens import Secret

logger = logging.getLogger(__name__)

REVOKED_KEPT_AT_MOST = 20
# Of other rooms: pauses what programs have set up with a token, by owner, generation, client and whether it is exposed.
# Returns how much that was. Runs in the transaction of a revoke, which must not get slower: at most one statement.
pauses: list[Callable[..., int]] = []
count_revocation = metrics.counter(
    "botpenguin_token_revocations", "Revoked tokens, by why they were revoked.", "reason", RevokedToken.Reason.values
)


class Verdict(StrEnum):
    REPLACED = "replaced"
    IN_USE = "in-use"
    ALREADY_REPLACED = "already-replaced"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a revoke: the current token, and the revoked one of the requested generation, if there is one."""

    verdict: Verdict
    token: ApiToken
    revoked: RevokedToken | None


def token_of(owner: User, client: Client) -> ApiToken:
    """Return the owner's token, once its issue is confirmed; issue their first one if they have none.

    Raises `NotConfirmed`: its predecessor could then be valid again after a failover.
    """
    return confirmed(ApiToken.objects.filter(user=owner).first(), owner, client)


def confirmed(token: ApiToken | None, owner: User, client: Client) -> ApiToken:
    """Return a token as read, as `token_of` does."""
    if token is None:
        return issue(owner, client)
    confirm((owner.pk, token.generation), token.issued_at)
    return token


@sensitive_variables("secret", "sealed")
def issue(owner: User, client: Client) -> ApiToken:
    """Issue the owner's first token. Of several calls at once, one issues it, and all return it."""
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
            record_event(Kind.TOKEN_ISSUED, token, client, at=token.issued_at)
            return token
    except IntegrityError:
        return ApiToken.objects.get(user=owner)


def revoke(  # noqa: PLR0913 - who, what, and what the owner gets to read about it
    owner: User,
    generation: int,
    client: Client,
    *,
    even_if_used: bool,
    reason: RevokedToken.Reason = RevokedToken.Reason.OWNER,
    place: str = "",
) -> Outcome:
    """Replace the owner's token of this generation, and no other, by a new one.

    Unless `even_if_used`, a token that has been used stays, even if the use is concurrent, and the verdict is
    IN_USE: ask the user first. `place` is where a scanner found the token. Does not need the old secret, so it also
    replaces a row that cannot be unsealed. The change is committed on return, unless the caller holds a transaction.
    Raises `NotConfirmed` if it is unknown whether the token is replaced, or will stay so.
    """
    with transaction.atomic():
        outcome = _revoke(owner, generation, client, even_if_used=even_if_used, reason=reason, place=place)
    current = outcome.token
    if outcome.verdict is Verdict.REPLACED:
        remember_own((owner.pk, current.generation))
    elif outcome.verdict is Verdict.ALREADY_REPLACED:
        confirm((owner.pk, current.generation), current.issued_at)
    return outcome


def _revoke(  # noqa: PLR0913 - as above
    owner: User,
    generation: int,
    client: Client,
    *,
    even_if_used: bool,
    reason: RevokedToken.Reason,
    place: str,
) -> Outcome:
    # Locked, so that the archived row has the old token's final state.
    old = ApiToken.objects.select_for_update().filter(user=owner).first()
    if old is None:
        return Outcome(Verdict.ALREADY_REPLACED, issue(owner, client), None)
    now = timezone.now()
    replaced = _replace(owner, generation, now, even_if_used=even_if_used)
    current = ApiToken.objects.get(user=owner)
    if not replaced:
        revoked = RevokedToken.objects.filter(user=owner, generation=generation).first()
        in_use = current.generation == generation
        return Outcome(Verdict.IN_USE if in_use else Verdict.ALREADY_REPLACED, current, revoked)
    revoked = _archive(old, now, reason, place)
    event = record_event(Kind.TOKEN_REVOKED, old, client, at=now, detail=_detail(old, reason), place=place or None)
    record_event(Kind.TOKEN_ISSUED, current, client, at=now)
    is_exposed = reason is RevokedToken.Reason.EXPOSED
    paused = sum(pause(owner, generation, client, is_exposed=is_exposed) for pause in pauses)
    notices.token_revoked(owner, event, revoked, paused)
    # Robust: the token is revoked by then, so a full disk of the metrics' files must not fail the request.
    transaction.on_commit(partial(count_revocation, reason.value), robust=True)
    return Outcome(Verdict.REPLACED, current, revoked)


def revoke_current(owner: User, client: Client, *, reason: RevokedToken.Reason) -> RevokedToken | None:
    """Replace the owner's current token; return the revoked one, or None if the owner has no token.

    Inside a transaction, no other revoke can come between this one and the commit.
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
    record_event(kind, token, client)
    return secret


@sensitive_variables("secret", "sealed")
def _replace(owner: User, generation: int, now: datetime, *, even_if_used: bool) -> bool:
    """Write a new token over the owner's token of this generation; return whether there was one to replace."""
    secret = tokens.generate()
    sealed = vault.seal(owner.pk, generation + 1, secret)
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
    return bool(replaced)


def _archive(old: ApiToken, now: datetime, reason: RevokedToken.Reason, place: str) -> RevokedToken:
    """Archive a revoked token, and delete the owner's oldest ones."""
    archived = RevokedToken.objects.filter(user=old.user_id)
    usage.unused_since(now - usage.REVOKED_KEPT_FOR, archived).delete()
    newest = archived.order_by("-generation").values("pk")[: REVOKED_KEPT_AT_MOST - 1]
    archived.exclude(pk__in=list(newest.values_list("pk", flat=True))).delete()
    return RevokedToken.objects.create(
        user_id=old.user_id,
        digest=old.digest,
        key_id=old.key_id,
        hint=old.hint,
        generation=old.generation,
        revoked_at=now,
        reason=reason,
        place=place or None,
        last_used_at=old.last_used_at,
        last_used_ip=old.last_used_ip,
        last_used_client=old.last_used_client,
    )


def _detail(old: ApiToken, reason: RevokedToken.Reason) -> str:
    if reason is not RevokedToken.Reason.OWNER:
        return Detail.__members__[reason.name]
    return "" if _is_readable(old) else Detail.UNREADABLE


def _is_readable(token: ApiToken) -> bool:
    try:
        vault.unseal(token.user_id, token.generation, token.sealed)
    except Unreadable:
        return False
    return True
