"""Rows of many revoked tokens, some of which are still in use."""

import secrets
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from developers.models import ApiToken, RevokedToken
from tests.developers.uses import add_use

REFUSED = 1_234_567


def add_old_tokens(owner: User, number: int, still_used: int, program: str, client: str = "") -> None:
    """Add tokens that were revoked three weeks ago. A program was refused with the last ones an hour ago."""
    now = timezone.now()
    hour, weeks = timedelta(hours=1), timedelta(weeks=3)
    RevokedToken.objects.bulk_create(
        RevokedToken(
            user=owner,
            generation=generation,
            digest=secrets.token_bytes(32),
            hint=f"{generation:04}",
            reason=RevokedToken.Reason.OWNER,
            revoked_at=now - weeks,
            refused_count=REFUSED if generation > number - still_used else 0,
            last_refused_at=now - hour if generation > number - still_used else None,
            last_refused_ip="2001:db8:1234:5678:9abc:def0:1234:5678",
            last_refused_client=client,
        )
        for generation in range(1, number + 1)
    )
    ApiToken.objects.filter(user=owner).update(generation=number + 1)
    for generation in range(number - still_used + 1, number + 1):
        add_use(owner, program, generation=generation, refused=REFUSED, ago=hour)
