"""Deletes an account with everything that belongs to it.

    at once ──── log-ins and the token are refused, the address is free again, one mail confirms the deletion
    later ────── a mail worker or `manage.py housekeeping` deletes its rows in small batches

Until then the account is a row without address or password, and a `Deletion` names it, so that an interrupted deletion
is continued.
"""

import logging
from collections.abc import Iterator

from allauth.account.models import EmailAddress
from django.contrib.auth import logout
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts import passwords
from accounts.mail import notices, queue
from accounts.models import Deletion, User
from accounts.orm.batches import delete_in_batches, delete_with_referrers, referrers
from accounts.sessions import start_epoch, still_logged_in
from accounts.sign_ups import KEPT_FOR
from accounts.web.clients import Client
from accounts.web.requests import LoggedInRequest

logger = logging.getLogger(__name__)


def delete(request: LoggedInRequest) -> None:
    """Log out and close the account. `finish_all` deletes its rows."""
    mail = notices.deletion_notice(request.user, Client.of(request))
    with still_logged_in(request):
        # Locked, so that no request adds rows to the account meanwhile.
        person = User.objects.select_for_update().get(pk=request.user.pk)
        Deletion.objects.create(user_id=person.pk, email=person.email)
        notices.queue_deletion_notice(person, mail)
        logout(request)
        _close(person)


def _close(person: User) -> None:
    """Remove the address of an account, and everything that gives access to it."""
    start_epoch(person)
    for relation in referrers(User):
        # One-to-one rows, such as the token, are deleted at once: no request finds them from now on.
        if relation.one_to_one:
            relation.related_model._base_manager.filter(**{relation.field.name: person.pk}).delete()
    EmailAddress.objects.filter(user=person.pk).delete()
    User.objects.filter(pk=person.pk).update(
        # Not a valid address, so nobody can enter it.
        email=f"deleted {person.pk}",
        name="",
        password=passwords.make(None),
        upgraded_from="",
        is_active=False,
        is_staff=False,
        is_superuser=False,
    )


def finish_all() -> Iterator[int]:
    """Delete the rows of closed accounts, oldest first, and yield the number of rows after each batch.

    An error with one account is logged and does not stop the others; the next run tries again.
    """
    for deletion in Deletion.objects.order_by("began_at"):
        try:
            yield from _finish(deletion)
        except Exception:
            logger.exception("What is left of the deleted account %s could not be removed yet.", deletion.pk)


def _finish(deletion: Deletion) -> Iterator[int]:
    yield from delete_in_batches(queue.mails_of(deletion.pk, deletion.email, deletion.began_at))
    yield from delete_with_referrers(User.objects.filter(pk=deletion.pk))
    yield from delete_in_batches(Deletion.objects.filter(pk=deletion.pk))


def forget_unconfirmed() -> Iterator[int]:
    """Delete accounts of version 0.1.0 whose address was not confirmed in time. Yield the number of rows per batch.

    Nobody has ever logged in to them. Deactivated accounts stay.
    """
    addresses = EmailAddress.objects.filter(user=OuterRef("pk"))
    never_used = User.objects.filter(last_login=None, joined_at__lt=timezone.now() - KEPT_FOR, is_active=True)
    waiting = addresses.filter(email=OuterRef("email"), verified=False)
    return delete_in_batches(never_used.filter(Exists(waiting), ~Exists(addresses.filter(verified=True))))
