"""Records the signals of Django and allauth in the security log. Our own code writes there directly.

So do the views that add factors: allauth sends some of these signals after the commit, where an event could be lost.
"""

from functools import partial
from typing import Any

from allauth.account import signals as account
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as auth
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils import timezone

from accounts import email_changes
from accounts.email_addresses import shown
from accounts.mail import notices
from accounts.models import User
from accounts.security_log import Detail, Kind, record, record_failure
from accounts.sessions import UNKNOWN_CLIENT, end_oldest
from accounts.throttling import attempts, known_browsers
from accounts.web import languages
from accounts.web.clients import Client
from accounts.web.responses import after_response


def finish_log_in(request: HttpRequest, user: User, **_: Any) -> None:
    """Store the time of a log-in, and the browser's language where the account has none.

    Cancels the log-in if every session was ended meanwhile. Replaces Django's `update_last_login`, which does not check
    that.
    """
    unchanged = User.objects.filter(
        pk=user.pk, is_active=True, password=user.password, session_epoch=user.session_epoch
    )
    noted: dict[str, Any] = {"last_login": timezone.now()}
    if not languages.offered(user.language):
        noted["language"] = languages.named_by(request)
    vars(user).update(noted)
    if not unchanged.update(**noted):
        request.session.flush()
        request.user = AnonymousUser()
        raise ImmediateHttpResponse(redirect("account_login"))


# Django connects its own receiver only if none has this dispatch_uid.
auth.user_logged_in.connect(finish_log_in, dispatch_uid="update_last_login")


@receiver(auth.user_logged_in)
def logged_in(request: HttpRequest, user: User, **_: Any) -> None:
    records = get_authentication_records(request, user)
    detail = _detail(**records[-1]) if records else ""
    notice = notices.NEW_LOG_IN_BY_PASSKEY if detail == Detail.PASSKEY else notices.NEW_LOG_IN
    with transaction.atomic():
        event = record(Kind.LOGGED_IN, user, Client.of(request), detail)
        if known_browsers.is_new_browser(request):
            notices.notify(event, user, notice)
        end_oldest(user)


@receiver(auth.user_login_failed)
def log_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Record a wrong password after the response is sent: its time must not show whether there is an account."""
    after_response(request, partial(note_failure, str(credentials.get("email", "")), request))


def note_failure(email: str, request: HttpRequest | None) -> None:
    owner = User.objects.by_email(email)
    if owner:
        is_theirs = request is not None and getattr(request, "user", None) == owner
        kind = Kind.CONFIRMING_FAILED if is_theirs else Kind.LOG_IN_FAILED
        record_failure(kind, owner, Client.of(request) if request else UNKNOWN_CLIENT, Detail.PASSWORD)


@receiver(auth.user_logged_out)
def logged_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user:
        record(Kind.LOGGED_OUT, user, Client.of(request))


@receiver(account.authentication_step_completed)
def confirmed(request: HttpRequest, user: User, *, reauthenticated: bool = False, **how: Any) -> None:
    if reauthenticated:
        record(Kind.CONFIRMED, user, Client.of(request), _detail(**how))


@receiver(account.password_changed)
def password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    record(Kind.PASSWORD_CHANGED, user, Client.of(request))


@receiver(account.password_reset)
def password_reset(request: HttpRequest, user: User, **_: Any) -> None:
    record(Kind.PASSWORD_RESET, user, Client.of(request))
    email_changes.confirm_by_reset(user)
    attempts.clear(request, user)


@receiver(account.email_changed)
def email_changed(
    request: HttpRequest, user: User, from_email_address: EmailAddress | None, to_email_address: EmailAddress, **_: Any
) -> None:
    """Notify the old address, since whoever changed the email reads the new one. A first address replaces none."""
    with transaction.atomic():
        event = record(Kind.EMAIL_CHANGED, user, Client.of(request))
        if from_email_address:
            old, new = from_email_address.email, to_email_address.email
            notices.notify(event, user, notices.EMAIL_CHANGED, address=old, from_email=shown(old), to_email=shown(new))


@receiver(mfa.authenticator_removed)
def factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    record(Kind.FACTOR_REMOVED, user, Client.of(request), authenticator.type)


@receiver(mfa.authenticator_used)
def factor_used(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    """Record used recovery codes, which run out. Other factors are recorded with the log-in or confirmation."""
    if authenticator.type == Detail.RECOVERY_CODES:
        record(Kind.CODE_USED, user, Client.of(request))


@receiver(mfa.authentication_failed)
def factor_failed(
    request: HttpRequest, user: User, authenticator: Authenticator, *, reauthentication: bool, **_: Any
) -> None:
    kind = Kind.CONFIRMING_FAILED if reauthentication else Kind.LOG_IN_FAILED
    record_failure(kind, user, Client.of(request), authenticator.type)


def _detail(*, method: str, type: str = "", **_: Any) -> str:  # noqa: A002 - what allauth calls it
    """Return the detail of an authentication: allauth names the factor, or else the method."""
    name = type or method
    return name if name in Detail.values else ""
