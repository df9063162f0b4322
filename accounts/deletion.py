"""Deleting an account with all that hangs on it, for good.

    at once ─────── nobody logs in any more, the token is refused, the address is free, one mail says so
    afterwards ──── its rows go, a few at a time, by a mail worker or by `manage.py housekeeping`

Until its rows are gone the account is a row without address or password, and `Deletion` names it: who is killed in
the middle goes on with it.
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
    """Log out and close the account for good. `finish` removes what is left of it."""
    mail = notices.deletion_notice(request.user, Client.of(request))
    with still_logged_in(request):
        # Locked, so that nothing new can be hung on the account meanwhile.
        person = User.objects.select_for_update().get(pk=request.user.pk)
        Deletion.objects.create(user_id=person.pk, email=person.email)
        notices.queue_deletion_notice(person, mail)
        logout(request)
        _close(person)


def _close(person: User) -> None:
    """Take from an account its address, and all by which it could be opened."""
    start_epoch(person)
    for relation in referrers(User):
        # What there is one of goes at once, the token for one: no request finds it from now on.
        if relation.one_to_one:
            relation.related_model._base_manager.filter(**{relation.field.name: person.pk}).delete()
    EmailAddress.objects.filter(user=person.pk).delete()
    User.objects.filter(pk=person.pk).update(
        # No address, so nobody can type it.
        email=f"deleted {person.pk}",
        name="",
        password=passwords.make(None),
        upgraded_from="",
        is_active=False,
        is_staff=False,
        is_superuser=False,
    )


def finish_all() -> Iterator[int]:
    """Remove what is left of closed accounts, and yield how many rows, batch by batch; the first closed comes first.

    One of which not all can be removed does not hold up the others, and is tried again the next time.
    """
    for deletion in Deletion.objects.order_by("began_at"):
        try:
            yield from _finish(deletion)
        except Exception:  # whatever it is, the account is still named
            logger.exception("What is left of the deleted account %s could not be removed yet.", deletion.pk)


def _finish(deletion: Deletion) -> Iterator[int]:
    yield from delete_in_batches(queue.mails_of(deletion.pk, deletion.email, deletion.began_at))
    yield from delete_with_referrers(User.objects.filter(pk=deletion.pk))
    yield from delete_in_batches(Deletion.objects.filter(pk=deletion.pk))


def forget_unconfirmed() -> Iterator[int]:
    """Delete accounts of version 0.1.0 whose address was not confirmed in time, and yield how many rows, in batches.

    Nobody was ever logged in to them. Those that somebody has closed stay so.
    """
    addresses = EmailAddress.objects.filter(user=OuterRef("pk"))
    never_used = User.objects.filter(last_login=None, joined_at__lt=timezone.now() - KEPT_FOR, is_active=True)
    waiting = addresses.filter(email=OuterRef("email"), verified=False)
    return delete_in_batches(never_used.filter(Exists(waiting), ~Exists(addresses.filter(verified=True))))
