"""Choosing a new password, with the option to also replace the API token.

A user who changes a password because somebody else knows it usually wants that person's copy of the token to
stop working too. `accounts` knows no tokens, so these pages are here: allauth's views with the forms of
`accounts` and one more checkbox, at allauth's URLs (`botpenguin.urls`). allauth's signals come only after the
password is saved. These views revoke the token first, and save the password in the same transaction.
"""

from contextlib import AbstractContextManager
from typing import Any, cast

from allauth.account import views as allauth
from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView

from accounts.forms.account import ChangePasswordForm, ResetPasswordKeyForm
from accounts.models import User
from accounts.orm.changes import Gone
from accounts.passwords import use_reserved_place
from accounts.sessions import SessionEnded, still_logged_in
from accounts.web.clients import Client
from accounts.web.requests import LoggedInRequest
from developers import issuance
from developers.models import RevokedToken

LABEL = gettext_lazy("Also revoke my API token")
HELP = gettext_lazy("Everything using the token is refused at once. A new one takes its place.")


class ChangePasswordAndTokenForm(ChangePasswordForm):
    user: User
    helps = ChangePasswordForm.helps | {"revoke_token": HELP}

    revoke_token = forms.BooleanField(label=LABEL, required=False, initial=True)


class ResetPasswordAndTokenForm(ResetPasswordKeyForm):
    user: User
    helps = ResetPasswordKeyForm.helps | {"revoke_token": HELP}

    revoke_token = forms.BooleanField(label=LABEL, required=False, initial=True)


class ReplacesPassword(FormView):  # type: ignore[type-arg]
    """A mixin for allauth's views: saves the password and revokes the token together, or does neither."""

    def form_valid(self, form: ChangePasswordAndTokenForm | ResetPasswordAndTokenForm) -> HttpResponse:
        # The user has proved to know the account's password, or to read its mailbox.
        use_reserved_place(self.request, form.user.email)
        # Hashed before the transaction, so that no other writer waits for Argon2.
        form.user.set_password(form.cleaned_data["password1"])
        try:
            with self.unchanged():
                revoke_if_asked(self.request, form.user, form.cleaned_data)
                return super().form_valid(form)
        except (Gone, SessionEnded):
            return self.refuse()

    def unchanged(self) -> AbstractContextManager[None]:
        """Return the transaction for both writes."""
        return transaction.atomic()

    def refuse(self) -> HttpResponse:
        """Respond if another request has changed the password or deleted the account meanwhile."""
        logout(self.request)
        # Drop the message about the revoke: it was rolled back.
        list(messages.get_messages(self.request))
        messages.error(self.request, _("The password was changed elsewhere in the meantime. Log in with the new one."))
        return redirect("account_login")


class ChangePassword(ReplacesPassword, allauth.PasswordChangeView):
    """Change the password of the person who is logged in; they stay so in this browser only.

    The current password, which the form asks for, is the fresh proof of identity.
    """

    def unchanged(self) -> AbstractContextManager[None]:
        return still_logged_in(cast(LoggedInRequest, self.request))

    def get_default_success_url(self) -> str:
        return reverse("my-account")


class ResetPassword(ReplacesPassword, allauth.PasswordResetFromKeyView):
    """Set a new password through a mailed link, and log the user out everywhere."""

    def form_valid(self, form: ResetPasswordAndTokenForm) -> HttpResponse:  # type: ignore[override]
        if self.request.user.is_authenticated:
            # All sessions of this user end, so this browser needs a new one.
            logout(self.request)
        return super().form_valid(form)


def revoke_if_asked(request: HttpRequest, owner: User, posted: dict[str, Any]) -> None:
    """Replace the owner's token if the box is ticked, and add a message about it."""
    if not posted["revoke_token"]:
        return
    revoked = issuance.revoke_current(owner, Client.of(request), reason=RevokedToken.Reason.NEW_PASSWORD)
    if revoked:
        text = _("Your API token ending %(hint)s was revoked. A new one is in place.")
        messages.success(request, text % {"hint": revoked.hint}, extra_tags="token")


def change_password(request: LoggedInRequest) -> HttpResponseBase:
    """Show the page. A user without a password, such as one created by a command, gets the link by mail instead."""
    if not request.user.has_usable_password():
        return redirect("account_reset_password")
    return ChangePassword.as_view()(request)


reset_password = ResetPassword.as_view()
