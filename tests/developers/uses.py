"""Rows of uses of tokens, as the processes of a server write them."""

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import User
from developers.models import TokenUse


def add_use(  # noqa: PLR0913 - one for each column
    owner: User,
    program: str,
    *,
    generation: int = 1,
    refused: int = 0,
    address: str = "192.0.2.1",
    ago: timedelta = timedelta(),
) -> datetime:
    """Add calls of a program some time ago, `refused` of them or one that was accepted. Return their time."""
    at = timezone.now() - ago
    TokenUse.objects.create(
        user=owner,
        day=at.date(),
        program=program,
        address=address,
        generation=generation,
        is_refused=bool(refused),
        count=refused or 1,
        first_at=at,
        last_at=at,
    )
    return at
