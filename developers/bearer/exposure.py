"""Reports of tokens that were found in a public place."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from accounts.orm.confirmations import confirm_all
from accounts.text import normalize
from accounts.web.clients import Client
from developers import issuance, tokens, vault
from developers.models import ApiToken, RevokedToken
from developers.tokens import Secret

Row = TypeVar("Row", ApiToken, RevokedToken)

# Digests in a query. Far below what SQLite takes.
MOST_DIGESTS = 900


@sensitive_variables("reported")
def report_exposed(reported: Sequence[str], client: Client) -> None:
    """Revoke every live token in these texts and mail its owner. Ignores texts without one.

    Finds a token inside other text too, such as the line of code that holds it. The caller does not learn
    which tokens were live. All texts take one query, and each live token one revoke, which is committed
    before this returns. The time that it takes may reveal a live token, but only to someone who holds it
    and could use it anyway.
    """
    _revoke_live(dict.fromkeys(tokens_in(reported), ""), client)


@sensitive_variables("places", "live", "revoked")
def revoke_found(places: Mapping[str, str], client: Client) -> set[str]:
    """Revoke every live token among these, and mail its owner where it was found.

    Returns those that are or were tokens, so only for a caller that is known.
    """
    live = _revoke_live(places, client)
    # Read last: a token that another report revokes meanwhile is in one of the two.
    return live | {token for token, _ in _rows_of(RevokedToken.objects.all(), places)}


@sensitive_variables("texts", "pasted")
def tokens_in(texts: Iterable[str]) -> set[str]:
    """Return the well-formed tokens in texts."""
    # Invisible characters may have come along, also within a token.
    pasted = {version for text in texts for version in (text, normalize(text))}
    return {token for text in pasted for token in tokens.PATTERN.findall(text) if tokens.is_well_formed(token)}


@sensitive_variables("places", "live", "text")
def _revoke_live(places: Mapping[str, str], client: Client) -> set[str]:
    live = set()
    # Includes disabled accounts: enabling one again must not bring an exposed token back.
    for text, token in _rows_of(ApiToken.objects.select_related("user"), places):
        # By generation: of several reports at once one takes effect, and a token renewed meanwhile stays.
        issuance.revoke(
            token.user,
            token.generation,
            client,
            even_if_used=True,
            reason=RevokedToken.Reason.EXPOSED,
            place=places[text],
        )
        live.add(text)
    # Others may have been revoked before.
    if len(live) < len(places):
        confirm_all()
    return live


@sensitive_variables("texts", "text_of", "digests")
def _rows_of(rows: QuerySet[Row], texts: Iterable[str]) -> Iterator[tuple[str, Row]]:
    """Yield each of these tokens that has a row, with the row."""
    text_of = {digest: text for text in texts for digest in vault.digests(Secret(text))}
    digests = list(text_of)
    for start in range(0, len(digests), MOST_DIGESTS):
        for row in rows.filter(digest__in=digests[start : start + MOST_DIGESTS]):
            yield text_of[bytes(row.digest)], row
