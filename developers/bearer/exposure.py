"""Reports of tokens that somebody found where others can read them."""

from collections.abc import Sequence

from django.views.decorators.debug import sensitive_variables

from accounts.web.clients import Client
from developers import issuance, tokens, vault
from developers.models import ApiToken, RevokedToken
from developers.tokens import Secret


@sensitive_variables("reported", "texts", "digests")
def report_exposed(reported: Sequence[str], client: Client) -> None:
    """Revoke every live token in these texts and mail its owner; texts that hold none are passed over.

    What stands around a token, a line end or the line of code that it was found in, does not save it.
    Nothing tells the caller which of them were live. All of them together take one query;
    a live one takes a revoke besides, so that it is dead before this returns. The time of
    that may show, to one who holds the token and could as well have called with it.
    """
    texts = {token for text in reported for token in tokens.PATTERN.findall(text) if tokens.is_well_formed(token)}
    found = [Secret(text) for text in texts]
    digests = [digest for token in found for digest in vault.digests(token)]
    # Also where its account is disabled: enabling it again must not bring the token back.
    for token in ApiToken.objects.filter(digest__in=digests).select_related("user"):
        # By generation: of several reports at once one takes effect, and what its owner has renewed stays.
        issuance.revoke(token.user, token.generation, client, even_if_used=True, reason=RevokedToken.Reason.EXPOSED)
