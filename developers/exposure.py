"""Reports of tokens that somebody found where others can read them."""

from collections.abc import Sequence

from django.views.decorators.debug import sensitive_variables

from accounts.clients import Client
from developers import issuance, tokens, vault
from developers.models import ApiToken, RevokedToken


@sensitive_variables("reported", "text", "digests")
def report_exposed(reported: Sequence[str], client: Client) -> None:
    """Revoke every live token among these texts and mail its owner; texts that are none are passed over.

    Nothing tells the caller which of them were live. All of them together take one query;
    a live one takes a revoke besides, so that it is dead before this returns. The time of
    that may show, to one who holds the token and could as well have called with it.
    """
    digests = [digest for text in set(reported) if tokens.is_well_formed(text) for digest in vault.digests(text)]
    # Also where its account is disabled: enabling it again must not bring the token back.
    for token in ApiToken.objects.filter(digest__in=digests).select_related("user"):
        # By generation: of several reports at once one takes effect, and what its owner has renewed stays.
        issuance.revoke(token.user, token.generation, client, even_if_used=True, reason=RevokedToken.Reason.EXPOSED)
