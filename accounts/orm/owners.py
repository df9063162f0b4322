"""One change at a time of what an account owns."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from accounts.models import User
from accounts.orm.changes import Gone


class AccountGone(Gone):
    """The account was deleted or deactivated meanwhile."""


@contextmanager
def changing(owner: int) -> Iterator[None]:
    """Hold the owner's row for a transaction: one change at a time, no deadlocks, no races for what there is once.

    Raises `AccountGone` where the account was deleted or deactivated meanwhile.
    """
    with transaction.atomic():
        # Without a key: what only refers to the owner need not wait.
        if not User.objects.select_for_update(no_key=True).filter(pk=owner, is_active=True).values("pk").first():
            raise AccountGone("The account was deleted or deactivated meanwhile.")
        yield
