"""Deletes bots: hides them at once, and deletes their rows in short transactions."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from accounts.orm.batches import delete_with_referrers
from accounts.orm.bulk import BulkBusy
from accounts.orm.changes import Gone
from accounts.orm.owners import changing
from botpenguin.platform.models import Bot

# Batches of at least 50 contacts. Housekeeping does the rest, or all if other bulk work has the turn.
PARTS_OF_A_REQUEST = 20


def delete(owner: int, bot_id: str) -> None:
    """Delete a bot. Its contacts stay without a bot. Raises `Gone` if it was deleted meanwhile."""
    with changing(owner):
        if not Bot.objects.owned_by(owner).filter(pk=bot_id).update(is_deleted=True):
            raise Gone("The bot was deleted meanwhile.")
    with suppress(BulkBusy):
        sum(islice(delete_with_referrers(Bot.every.filter(pk=bot_id, is_deleted=True)), PARTS_OF_A_REQUEST))


def forget_deleted() -> Iterator[int]:
    """Delete the remaining rows of deleted bots; yield the number of each batch."""
    return delete_with_referrers(Bot.every.filter(is_deleted=True))
