"""Changes of email that wait until the link mailed to the new address is followed."""

import math
from collections.abc import Iterator
from datetime import timedelta

from allauth.account import app_settings
from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import SignUp, User
from accounts.orm.batches import delete_in_batches, delete_matching
from accounts.orm.changes import Gone
from accounts.security_log import Kind, people_with
from accounts.throttling.models import now
from accounts.throttling.rate_limits import Attempt

# As long as the mailed link works.
KEPT_FOR = timedelta(days=app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS)
# Milliseconds.
DAY = 24 * 60 * 60 * 1000
# Translators: %(when)s is "in 5 hours".
TOO_MANY_ADDRESSES = _("You can ask for five addresses a day. Try again %(when)s.")


def waiting() -> QuerySet[EmailAddress]:
    """Return the unconfirmed new addresses. The address of the account itself is none, confirmed or not."""
    return EmailAddress.objects.filter(verified=False).exclude(email=F("user__email"))


def count_address(request: HttpRequest, person: User, address: str) -> None:
    """Count the different addresses that an account requests within a day of UTC.

    Raises `ValidationError` over the limit: no account may have mails sent to many addresses.
    """
    day, since_midnight = divmod(now(), DAY)
    attempt = Attempt(request)
    is_new = attempt.may_take("change_address", f"{day}:{person.pk}:{address}")
    if is_new and not attempt.may_take("change_addresses", f"{day}:{person.pk}"):
        attempt.refuse(math.ceil((DAY - since_midnight) / 1000), TOO_MANY_ADDRESSES)


def cancel(person: AbstractBaseUser) -> None:
    """Cancel a waiting change, so that its mailed link no longer works."""
    delete_matching(waiting().filter(user=person.pk))


def confirm(address: EmailAddress) -> EmailAddress | None:
    """Make a new address the log-in of its account, and return the address that it replaces, if any.

    Call it inside a transaction. Raises `Gone` where the address was deleted meanwhile, or the account was deleted or
    deactivated.
    """
    drop_other_claims(address)
    others = EmailAddress.objects.filter(user=address.user_id).exclude(pk=address.pk)
    replaced = others.first()
    others.delete()
    confirmed = EmailAddress.objects.filter(pk=address.pk, verified=False).update(verified=True, primary=True)
    account = User.objects.filter(pk=address.user_id, is_active=True)
    if not confirmed or not account.update(email=address.email):
        raise Gone("The address was given up meanwhile.")
    address.verified = address.primary = True
    return replaced


def drop_other_claims(confirmed: EmailAddress) -> None:
    """Delete the unconfirmed claims of others to an address: sign-ups, changes of email, and accounts of 0.1.0.

    Nobody has ever logged in to such an account, and it is empty.
    """
    # Sign-ups first: confirming one locks them first too, and then the other rows.
    SignUp.objects.filter(email=confirmed.email).delete()
    EmailAddress.objects.filter(email=confirmed.email).exclude(pk=confirmed.pk).delete()
    delete_matching(User.objects.filter(email=confirmed.email, last_login=None).exclude(pk=confirmed.user_id))


def confirm_by_reset(person: AbstractBaseUser) -> None:
    """Confirm the unconfirmed address of an account of 0.1.0: the link for the new password was mailed to it."""
    own = EmailAddress.objects.filter(user=person.pk, email=F("user__email"), verified=False)
    if own.update(verified=True, primary=True):
        drop_other_claims(EmailAddress.objects.get(user=person.pk, verified=True))


def forget_old() -> Iterator[int]:
    """Delete addresses that were not confirmed in time, and yield the number of rows after each batch."""
    # The address has no time, so the event of the request gives it.
    asked = people_with(Kind.EMAIL_ASKED, timezone.now() - KEPT_FOR)
    return delete_in_batches(waiting().exclude(user__in=asked))
