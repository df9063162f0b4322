"""Locks an account, so that what it owns is changed by one transaction at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import get_user_model
from django.db import transaction

from accounts.orm.changes import Gone


class AccountGone(Gone):
    """The account was deleted or deactivated meanwhile."""


@contextmanager
def changing(owner: int) -> Iterator[None]:
    """Lock the owner's row for a transaction: one change at a time, without deadlocks or races.

    Raises `AccountGone` where the account was deleted or deactivated meanwhile.
    """
    with transaction.atomic():
        # FOR NO KEY UPDATE: inserting rows that refer to the owner need not wait.
        owners = get_user_model().objects.select_for_update(no_key=True)
        if not owners.filter(pk=owner, is_active=True).values("pk").first():
            raise AccountGone("The account was deleted or deactivated meanwhile.")
        yield
