"""The adapter by which allauth calls the project: client addresses, sign-up, passwords, mail."""

from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

from allauth.account import signals
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.manage_email import emit_email_changed
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts import email_changes
from accounts.email_addresses import mailbox, normalized
from accounts.mail import queue
from accounts.mail.queue import Mail
from accounts.models import User
from accounts.orm.changes import Gone
from accounts.sessions import end_all
from accounts.throttling import attempts, known_browsers
from accounts.throttling.rate_limits import Attempt
from accounts.web import languages
from accounts.web.clients import client_ip

# Rate limits need a name for clients that have no address, such as those of a unix socket.
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - a name, not an address to bind


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("That email and password do not match. Check both and try again."),
        "enter_current_password": _("That is not your current password."),
        "duplicate_email": _("That is already your email, or it still has to be confirmed."),
        "incorrect_password": _("That is not your password. Try again."),
    }

    def is_safe_url(self, url: str) -> bool:
        """Allow only local pages: not actions, which take only POST, and not the API, which takes a token.

        Stricter than allauth's own rule, which also allows every host that is served or trusted.
        """
        if not url_has_allowed_host_and_scheme(url, allowed_hosts=None):
            return False
        path = urlsplit(url).path
        try:
            match = resolve(path)
        except Resolver404:
            return False
        is_for_programs = path.startswith("/api/") and match.url_name != "api-reference"
        return not is_for_programs and not hasattr(match.func, "page")

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_ip(request) or NO_ADDRESS

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGN_UP)

    def clean_email(self, email: str) -> str:
        """Return the normalized address. Raises `ValidationError` where it is not the address of one mailbox."""
        return normalized(email)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Do nothing: `authenticate` counts attempts. allauth's own count lets anybody lock an owner out."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        attempt = attempts.count_password_attempt(request, credentials.get("email", ""))
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user:
            attempt.give_back()
        return user

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Make an address the log-in of its account. Replaces allauth's flow, which saves whole rows."""
        about = {"email": email_address.email}
        if not email_address.user.is_active or not email_address.can_set_verified():
            self.add_message(request, messages.ERROR, "account/messages/email_confirmation_failed.txt", about)
            return False
        replaced = email_changes.confirm(email_address)
        signals.email_confirmed.send(sender=EmailAddress, request=request, email_address=email_address)
        emit_email_changed(request, replaced, email_address)
        self.add_message(request, messages.SUCCESS, "account/messages/email_confirmed.txt", about)
        return True

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Replace the password that was read, and end every session; the view then renews its own.

        Hashing is slow on purpose. Before calling this in a transaction, hash with `user.set_password`: the user
        object remembers the password that it hashed. Raises `Gone` where another request has replaced the password
        meanwhile, or deleted the account.
        """
        if user._password != password:  # type: ignore[attr-defined]  # Django keeps it until it is saved
            user.set_password(password)
        as_read = User.objects.filter(pk=user.pk, password=cast(User, user).value_as_read("password"))
        if not as_read.update(password=user.password):
            raise Gone("The password was changed, or the account deleted, meanwhile.")
        end_all(user)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        context = context | {"request": self.request, "email": email, "public_url": settings.PUBLIC_URL}
        with translation.override(self._language_of(email, context)):
            message = cast(EmailMultiAlternatives, self.render_mail(template_prefix, email, context))
            [(html, _type)] = message.alternatives
            mail = Mail(str(message.subject), queue.with_support(str(message.body)), str(html))
        # The mail holds a link that its reader has just requested, and belongs to no event.
        queue.put(mail, email, f"link.{uuid4()}")

    def _language_of(self, email: str, context: dict[str, Any]) -> str:
        """Return the language of the reader, not of the browser that requests a mail for them, if it is known."""
        if "language" in context:
            return languages.offered(context["language"]) or translation.get_language()
        reader = context.get("user") or User.objects.by_email(email)
        return languages.offered(reader.language) if reader and reader.language else translation.get_language()

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:  # type: ignore[override]
        """Send a limited number of links, until a log-in or a new password makes the earlier ones invalid."""
        if Attempt(self.request).may_take("reset_mail", f"{user.pk}:{user.password}:{user.last_login}"):
            super().send_password_reset_mail(user, email, context)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Mail the link for a change of email, limited per account and address, and per address."""
        attempt, address = Attempt(request), emailconfirmation.email_address
        if not attempt.may_take("change_mail", f"{address.user_id}:{address.email}"):
            return
        if attempt.may_take("change_mails", address.email):
            super().send_confirmation_mail(request, emailconfirmation, signup)

    def send_account_already_exists_mail(self, email: str) -> None:
        if Attempt(self.request).may_take("account_exists_mail", mailbox(email)):
            super().send_account_already_exists_mail(email)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return the methods, found once a request: allauth asks twice, each time with a query for every factor."""
        if not hasattr(self.request, "reauthentication_methods"):
            self.request.reauthentication_methods = super().get_reauthentication_methods(user)
        return cast(list[dict[str, Any]], self.request.reauthentication_methods)

    def get_login_stages(self) -> list[str]:
        replaced = {"allauth.mfa.stages.AuthenticateStage": "accounts.mfa.stage.SecondStep"}
        return [replaced.get(stage, stage) for stage in super().get_login_stages()]

    def login(self, request: HttpRequest, user: User) -> None:  # type: ignore[override]
        known_browsers.note_new_browser(request, user)
        super().login(request, user)

    def post_login(self, request: HttpRequest, user: User, **how: Any) -> HttpResponse:  # type: ignore[override]
        response: HttpResponse = super().post_login(request, user, **how)
        known_browsers.remember(request, response, user)
        return response

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return _under_public_url(super().get_email_confirmation_url(request, emailconfirmation))

    def get_reset_password_from_key_url(self, key: str) -> str:
        return _under_public_url(super().get_reset_password_from_key_url(key))


def _under_public_url(url: str) -> str:
    """Put a mailed link under `PUBLIC_URL`: a forged Host header must not choose where a secret goes."""
    return settings.PUBLIC_URL + urlsplit(url)._replace(scheme="", netloc="").geturl()
