"""The bearer check, on the hot path of every API call: finds the owner of the token in a request.

It is also the platform's only interface to the token: it offers revoking the bearer's own token, listing the programs
that use it, and reporting exposed tokens.

A check is one indexed SELECT in autocommit on the primary, and no positive result is cached. So a check
that starts after the response to a revoke sees that revoke, in any process on any node. Headers follow
RFC 6750, section 2.1; BotPenguin's published clients also send `authtype: Key`.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.conf import settings
from django.db import Error
from django.http import HttpRequest
from django.utils.translation import gettext_noop
from django.views.decorators.debug import sensitive_variables

from accounts.models import User
from accounts.orm import best_effort
from accounts.orm.confirmations import confirm
from accounts.web.clients import Client, canonical_ip
from developers import issuance, metrics, program_uses, tokens, usage, vault
from developers.bearer import lookup
from developers.bearer.exposure import report_exposed
from developers.bearer.refusal_counts import RefusalCounts, refusal_counts
from developers.bearer.unknown_tokens import TooManyUnknownTokens, unknown_tokens
from developers.bearer.use_counts import Counts, UseCounts
from developers.models import RevokedToken
from developers.program_uses import KEPT_DAYS as USES_KEPT_DAYS
from developers.program_uses import ListedUse
from developers.tokens import Secret

__all__ = [
    "USES_KEPT_DAYS",
    "Bearer",
    "ListedUse",
    "RefusalReason",
    "TokenRefused",
    "TooManyUnknownTokens",
    "check",
    "check_environ",
    "report_exposed",
    "revoke",
    "uses",
]

# RFC 9110, section 5.6.3: the only whitespace allowed around a header's value.
WHITESPACE = " \t"

Environ = Mapping[str, Any]

logger = logging.getLogger(__name__)
# Owners whose rows were changed outside `issuance`: each is logged once a minute.
mismatches = RefusalCounts()


class Bearer(NamedTuple):
    """The owner of a request's token, and what the API shows of that token."""

    owner_id: int
    email: str
    is_active: bool
    generation: int
    hint: str
    issued_at: datetime
    last_used_at: datetime | None


class RefusalReason(StrEnum):
    """Why a request has no bearer, as a sentence in English, which a header of the response has too."""

    MISSING = gettext_noop("Send your API access token in the header Authorization: Bearer <token>.")
    WRONG_AUTHTYPE = gettext_noop("The header authtype, where it is sent, must be Key.")
    MALFORMED = gettext_noop("This is not an API access token: check that it was copied whole.")
    UNKNOWN = gettext_noop("This API access token does not exist.")
    REVOKED = gettext_noop("This API access token was revoked.")
    DISABLED = gettext_noop("The account of this API access token is disabled.")


count_check = metrics.counter(
    "botpenguin_bearer_checks",
    "Bearer checks of API requests, by outcome.",
    "outcome",
    ["ok", *(refusal.name.lower() for refusal in RefusalReason), "limited", "failed"],
)


class TokenRefused(Exception):
    """The request has no valid token. `revoked_at` is set if its token was revoked."""

    def __init__(self, refusal: RefusalReason, revoked_at: datetime | None = None) -> None:
        super().__init__(refusal)
        self.refusal = refusal
        self.revoked_at = revoked_at


def check(request: HttpRequest) -> Bearer:
    """Return the bearer of a request, as `check_environ` does."""
    return check_environ(request.META)


def check_environ(environ: Environ) -> Bearer:
    """Return the bearer of a request by its WSGI environment (PEP 3333), and count the outcome of the check.

    Raises `TokenRefused`, or `TooManyUnknownTokens` if the address has sent too many. Queries the database
    only if the header holds one well-formed token. Writes only if the recorded last use is over a minute
    old; the check succeeds even if that write fails.
    """
    try:
        bearer = _check(environ)
    except TokenRefused as refused:
        count_check(refused.refusal.name.lower())
        raise
    except TooManyUnknownTokens:
        count_check("limited")
        raise
    except Error:
        count_check("failed")
        raise
    count_check("ok")
    return bearer


@sensitive_variables("token", "digests", "row", "digest", "binding")
def _check(environ: Environ) -> Bearer:
    token = _token_in(environ)
    digests = vault.digests(token)
    unknown_tokens.check(_ip_in(environ), digests[0], settings.API_REFUSED_LIMIT)
    row = lookup.find(digests)
    if row is None:
        raise _refused_as_revoked_or_unknown(environ, digests)
    *columns, digest, key_id, binding = row
    bearer = Bearer(*columns)
    if not vault.is_bound(bearer.owner_id, bearer.generation, digest, key_id, binding):
        raise _refused_as_changed(environ, bearer, digests)
    if not bearer.is_active:
        raise TokenRefused(RefusalReason.DISABLED)
    unknown_tokens.remember_good(digests[0])
    use_counts.add(bearer.owner_id, bearer.generation, environ, is_refused=False)
    if _is_stale(bearer.last_used_at):
        best_effort.try_write(
            f"The last use of the token of user {bearer.owner_id}",
            lambda: usage.record_use(bearer.owner_id, bearer.generation, Client.in_environ(environ)),
        )
    return bearer


def revoke(bearer: Bearer, client: Client) -> None:
    """Revoke the bearer's token. Does nothing if the token or its account is gone meanwhile."""
    owner = User.objects.filter(pk=bearer.owner_id).first()
    if owner:
        issuance.revoke(owner, bearer.generation, client, even_if_used=True, reason=RevokedToken.Reason.API)


def uses(bearer: Bearer) -> list[ListedUse]:
    """Return the programs that use the owner's tokens, the last used first."""
    return program_uses.programs_of(bearer.owner_id, bearer.generation)


def _token_in(environ: Environ) -> Secret:
    authorization: str | None = environ.get("HTTP_AUTHORIZATION")
    if authorization is None:
        raise TokenRefused(RefusalReason.MISSING)
    authtype = environ.get("HTTP_AUTHTYPE")
    if authtype is not None and authtype.strip(WHITESPACE).lower() != "key":
        raise TokenRefused(RefusalReason.WRONG_AUTHTYPE)
    scheme, _, token = authorization.strip(WHITESPACE).partition(" ")
    if scheme.lower() != "bearer":
        raise TokenRefused(RefusalReason.MISSING)
    token = token.strip(WHITESPACE)
    if not tokens.is_well_formed(token):
        raise TokenRefused(RefusalReason.MALFORMED)
    return Secret(token)


def _ip_in(environ: Environ) -> str | None:
    return canonical_ip(environ.get("REMOTE_ADDR", ""))


def _is_stale(last_used_at: datetime | None) -> bool:
    # Django's `now` looks a setting up, which takes longer.
    return last_used_at is None or datetime.now(UTC) - last_used_at > usage.LAST_USE_RESOLUTION


def _refused_as_changed(environ: Environ, bearer: Bearer, digests: list[bytes]) -> TokenRefused:
    unknown_tokens.forget_good(digests[0])
    unknown_tokens.add(_ip_in(environ))
    if mismatches.add(bearer.owner_id):
        logger.error(
            # %r: a changed row may hold text in either column.
            "The token of user %r, generation %r, is refused: its row was changed by something else than this program.",
            bearer.owner_id,
            bearer.generation,
        )
    return TokenRefused(RefusalReason.UNKNOWN)


def _refused_as_revoked_or_unknown(environ: Environ, digests: list[bytes]) -> TokenRefused:
    unknown_tokens.forget_good(digests[0])
    revoked = RevokedToken.objects.filter(digest__in=digests).only("revoked_at", "user", "generation").first()
    if revoked is None:
        unknown_tokens.add(_ip_in(environ))
        return TokenRefused(RefusalReason.UNKNOWN)
    confirm((revoked.user_id, revoked.generation + 1), revoked.revoked_at)
    client = Client.in_environ(environ)
    count = refusal_counts.add(revoked.pk, client)
    use_counts.add(revoked.user_id, revoked.generation, environ, is_refused=True)
    if count:
        _write_refusals(revoked.pk, count, client)
    return TokenRefused(RefusalReason.REVOKED, revoked.revoked_at)


def _write_refusals(
    revoked_id: int,
    count: int,
    client: Client,
    write: Callable[[str, Callable[[], object]], bool] = best_effort.try_write,
) -> bool:
    return write(
        f"A refusal of the revoked token {revoked_id}", lambda: usage.record_refusals(revoked_id, count, client)
    )


def _write_counts(counts: Counts) -> Counts:
    """Write the uses of this process, and the refusals of bursts that have ended. Return the uses that wait."""
    is_refused = False
    for revoked_id, (count, client) in refusal_counts.take().items():
        # What the database refuses once, it would refuse for each of many tokens.
        if is_refused or not _write_refusals(revoked_id, count, client, best_effort.try_in_background):
            is_refused = True
            refusal_counts.give_back(revoked_id, count)
    return program_uses.write(counts, use_counts.known)


use_counts = UseCounts(_write_counts)
