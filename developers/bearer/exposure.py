"""Reports of tokens that were found in a public place."""

from collections.abc import Sequence

from django.views.decorators.debug import sensitive_variables

from accounts.text import normalize
from accounts.web.clients import Client
from developers import issuance, tokens, vault
from developers.models import ApiToken, RevokedToken
from developers.tokens import Secret


@sensitive_variables("reported", "texts", "digests")
def report_exposed(reported: Sequence[str], client: Client) -> None:
    """Revoke every live token in these texts and mail its owner. Ignores texts without one.

    Finds a token inside other text too, such as the line of code that holds it. The caller does not learn
    which tokens were live. All texts take one query, and each live token one revoke, which is committed
    before this returns. The time that it takes may reveal a live token, but only to someone who holds it
    and could use it anyway.
    """
    # Invisible characters may have come along, also within a token.
    pasted = {*reported, *map(normalize, reported)}
    texts = {token for text in pasted for token in tokens.PATTERN.findall(text) if tokens.is_well_formed(token)}
    found = [Secret(text) for text in texts]
    digests = [digest for token in found for digest in vault.digests(token)]
    # Includes disabled accounts: enabling one again must not bring an exposed token back.
    for token in ApiToken.objects.filter(digest__in=digests).select_related("user"):
        # By generation: of several reports at once one takes effect, and a token renewed meanwhile stays.
        issuance.revoke(token.user, token.generation, client, even_if_used=True, reason=RevokedToken.Reason.EXPOSED)
