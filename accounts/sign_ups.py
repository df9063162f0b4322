"""Sign-ups, each of which waits until the link mailed to its address is followed.

    sign-up ──────▶ SignUp(email, password hash, browser) ──mail──▶ link
    link, in the browser that signed up ──────▶ User with that password
    link, elsewhere ── password of the sign-up ─▶ User with that password
                    ── new password ───────────▶ User with the new one

Anybody can sign up with any address, any number of times. Sign-ups are independent of each other, and a browser that
signs up again replaces only its own password. The first that is confirmed becomes the account, and all others for the
address are deleted, so that their links stop working. Until then there is no account, and the address is not reserved.

Mails are limited so that others cannot use up the owner's: each sign-up has a limit of its own for its browser and its
password. New sign-ups, and requests from elsewhere, are counted by network and address.
"""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from hashlib import blake2b

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import Case, When
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from accounts import email_changes
from accounts.email_addresses import mailbox
from accounts.models import SignUp, User
from accounts.orm.batches import delete_in_batches
from accounts.security_log import Kind, record
from accounts.throttling import known_browsers
from accounts.throttling.attempts import site_of
from accounts.throttling.rate_limits import Attempt, undo_when_busy
from accounts.web import languages
from accounts.web.clients import Client

COOKIE = "__Host-sign-up" if settings.HTTPS else "sign-up"
COOKIE_SALT, LINK_SALT = "accounts.sign_ups.browser", "accounts.sign_ups.link"
# As long as a link works.
KEPT_FOR = timedelta(days=app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS)


def mark_browser(request: HttpRequest, response: HttpResponseBase) -> str:
    """Store a secret in the browser that signs up, and return its digest. Every response to a sign-up sets one."""
    secret = _secret(request) or secrets.token_urlsafe(16)
    response.set_signed_cookie(
        COOKIE,
        secret,
        salt=COOKIE_SALT,
        max_age=KEPT_FOR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return _digest(secret)


def count_attempt(request: HttpRequest) -> None:
    """Count a sign-up for all unknown browsers together, or in a known browser for its person.

    Raises `ValidationError` over the limit.
    """
    attempt = Attempt(request)
    undo_when_busy(request, attempt)
    person = known_browsers.any_known_person(request)
    if person:
        attempt.take("sign_ups_of_known", person)
    else:
        attempt.take("sign_ups_of_unknown", "")


def begin(request: HttpRequest, email: str, password: str, browser: str) -> None:
    """Store a sign-up with the hash of its password, and mail the link; or mail that there is an account already.

    Over the limit for the address nothing is stored: its mailbox has the earlier links, each of which takes a new
    password.
    """
    if User.objects.by_email(email):
        get_adapter(request).send_account_already_exists_mail(email)
        return
    email = mailbox(email)
    is_new = not SignUp.objects.filter(email=email, browser=browser).exists()
    if is_new and not _may_mail(request, ("sign_up", f"{site_of(request)}:{email}"), ("sign_ups", email)):
        return
    SignUp.objects.bulk_create(
        [SignUp(email=email, password=password, browser=browser, language=languages.named_by(request))],
        update_conflicts=True,
        unique_fields=["email", "browser"],
        update_fields=["password", "language", "renewed_at"],
    )
    mail_own(request, SignUp.objects.get(email=email, browser=browser))


def mail_own(request: HttpRequest, waiting: SignUp) -> None:
    """Mail the link, for a client that knows the sign-up's password or is its browser."""
    if _may_mail(request, ("own_link_mail", waiting.pk.hex)):
        _mail(request, waiting)


def mail_again(request: HttpRequest, email: str) -> None:
    """Mail the link again to an address that waits to be confirmed, and nothing to other addresses."""
    email = mailbox(email)
    waiting = find(request, email)
    if waiting and not User.objects.by_email(email):
        if is_from(request, waiting):
            mail_own(request, waiting)
        elif _may_mail(request, ("link_mail", f"{site_of(request)}:{email}"), ("link_mails", email)):
            _mail(request, waiting)
    # Version 0.1.0 created accounts before their address was confirmed.
    unconfirmed = EmailAddress.objects.filter(email=email, user__email=email, user__is_active=True, verified=False)
    for address in unconfirmed:
        address.send_confirmation(request)


def find(request: HttpRequest | None, email: str) -> SignUp | None:
    """Return the sign-up of an address: this browser's, else the newest. It takes one query in any case."""
    own_first = Case(When(browser=_browser(request), then=0), default=1)
    return SignUp.objects.filter(email=mailbox(email)).order_by(own_first, "-renewed_at").first()


def path_of(waiting: SignUp) -> str:
    """Return the path of the link that confirms a sign-up."""
    return reverse("account_confirm_email", args=[signing.dumps(waiting.pk.hex, salt=LINK_SALT)])


def from_key(key: str) -> SignUp | None:
    """Return the waiting sign-up whose link holds this key, or None."""
    try:
        pk = signing.loads(key, salt=LINK_SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return None
    waiting = SignUp.objects.filter(pk=pk).first()
    return waiting if waiting and not User.objects.by_email(waiting.email) else None


def is_from(request: HttpRequest, waiting: SignUp) -> bool:
    """Return whether the sign-up was made in this browser."""
    return waiting.browser == _browser(request)


def confirm(request: HttpRequest, waiting: SignUp, password: str) -> bool:
    """Create the account with a password hash. Return False where the sign-up was confirmed, changed or deleted."""
    try:
        with transaction.atomic():
            # Locked in one order: if two links are followed at once, the second waits, and then finds nothing.
            alike = SignUp.objects.select_for_update().filter(email=waiting.email).order_by("pk")
            if (waiting.pk, waiting.password) not in list(alike.values_list("pk", "password")):
                return False
            person = User(email=waiting.email, password=password, language=waiting.language)
            person.save()
            address = person.emailaddress_set.create(email=person.email, verified=True, primary=True)
            email_changes.drop_other_claims(address)
            record(Kind.SIGNED_UP, person, Client.of(request))
    except IntegrityError:
        return False
    return True


def forget_old() -> Iterator[int]:
    """Delete sign-ups whose last link has expired, and yield the number of rows after each batch."""
    return delete_in_batches(SignUp.objects.filter(renewed_at__lt=timezone.now() - KEPT_FOR))


def _mail(request: HttpRequest, waiting: SignUp) -> None:
    SignUp.objects.filter(pk=waiting.pk).update(renewed_at=timezone.now())
    url = settings.PUBLIC_URL + path_of(waiting)
    context = {"activate_url": url, "language": waiting.language}
    get_adapter(request).send_mail("account/email/email_confirmation_signup", waiting.email, context)


def _may_mail(request: HttpRequest, *limits: tuple[str, str]) -> bool:
    attempt = Attempt(request)
    if all(attempt.may_take(action, key) for action, key in limits):
        return True
    attempt.give_back()
    return False


def _secret(request: HttpRequest) -> str:
    return request.get_signed_cookie(COOKIE, "", salt=COOKIE_SALT, max_age=KEPT_FOR) or ""


def _browser(request: HttpRequest | None) -> str:
    secret = _secret(request) if request else ""
    return _digest(secret) if secret else ""


def _digest(secret: str) -> str:
    """Return what is stored of a browser's secret, which has 128 random bits."""
    return blake2b(secret.encode(), digest_size=20).hexdigest()
