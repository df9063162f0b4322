"""Finds the owner and the state of a token, without leaving the token in logs or shell history."""

import getpass
import sys
from enum import IntEnum
from typing import Any

from django.core.management.base import BaseCommand
from django.views.decorators.debug import sensitive_variables

from accounts.orm.confirmations import confirm
from accounts.text import normalize
from developers import tokens, vault
from developers.models import ApiToken, RevokedToken


class Found(IntEnum):
    """The exit status of the command."""

    ACTIVE = 0
    MALFORMED = 2
    UNKNOWN = 3
    REVOKED = 4
    DISABLED = 5


class Command(BaseCommand):
    help = (
        "Read a token from standard input, or ask for it, and say whose it is and whether it works. Ends with 0 where "
        "it does, 2 where it is no token, 3 where nobody has it, 4 where it was revoked, 5 where its account is off."
    )

    @sensitive_variables("token")
    def handle(self, *args: Any, **options: Any) -> None:
        token = normalize(getpass.getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline())
        found, sentence = look_up(token)
        self.stdout.write(sentence)
        if found:
            sys.exit(found)


@sensitive_variables("token", "digests")
def look_up(token: str) -> tuple[Found, str]:
    """Return the state of a token, and a sentence about it with at most the token's last four characters."""
    if not tokens.PATTERN.fullmatch(token):
        return Found.MALFORMED, "This is not a token: it has not the form of one."
    if not tokens.is_well_formed(token):
        return Found.MALFORMED, "This is not a token: its checksum does not fit, so a character is wrong."
    name = f"The token …{token[-tokens.HINT_LENGTH :]}"
    digests = vault.digests(tokens.Secret(token))
    active = ApiToken.objects.filter(digest__in=digests).select_related("user").first()
    if active:
        return describe(active, name)
    revoked = RevokedToken.objects.filter(digest__in=digests).select_related("user").first()
    if revoked:
        confirm((revoked.user_id, revoked.generation + 1), revoked.revoked_at)
        reason = revoked.get_reason_display()
        return Found.REVOKED, (
            f"{name} was revoked {revoked.revoked_at:%F %T %Z}. It belonged to {revoked.user.email}. {reason}."
        )
    return (
        Found.UNKNOWN,
        f"{name} is well-formed, and nobody has it: it is of another server, or long forgotten.",
    )


def describe(token: ApiToken, name: str) -> tuple[Found, str]:
    """Return the same for a token that is not revoked."""
    email = token.user.email
    if not token.is_bound:
        return Found.UNKNOWN, (
            f"{name} is refused: the row that holds it, of {email}, was changed by something else than this program. "
            "See who can write to the database, and revoke the token."
        )
    if token.user.is_active:
        return Found.ACTIVE, f"{name} is active. It belongs to {email}, issued {token.issued_at:%F %T %Z}."
    return Found.DISABLED, f"{name} belongs to {email}, whose account is disabled: it is refused."
