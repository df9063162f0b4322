"""Choosing a new password, with the offer to replace the API token by a fresh one on the way.

Whoever changes a password because somebody else knows it wants that person's copy of the
token dead too. `accounts` knows of no token, so these pages are here: they are allauth's own
views with `accounts`' forms, to which ours add a box, and `botpenguin.urls` gives them the
addresses that allauth's would have. A receiver of allauth's signals would run only after the
password is saved; here both are one transaction, the token first: no password without the revoke.
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
    """Before allauth's view: saves the password and revokes the token together, or neither."""

    def form_valid(self, form: ChangePasswordAndTokenForm | ResetPasswordAndTokenForm) -> HttpResponse:
        # They have shown the mailbox, or the password, of the account.
        use_reserved_place(self.request, form.user.email)
        # Hashed before the transaction: no other writer shall wait for Argon2.
        form.user.set_password(form.cleaned_data["password1"])
        try:
            with self.unchanged():
                revoke_if_asked(self.request, form.user, form.cleaned_data)
                return super().form_valid(form)
        except (Gone, SessionEnded):
            return self.refuse()

    def unchanged(self) -> AbstractContextManager[None]:
        """Give the transaction in which both are written."""
        return transaction.atomic()

    def refuse(self) -> HttpResponse:
        """Answer where another request has replaced the password, or deleted the account, meanwhile."""
        logout(self.request)
        # What was said of the revoke did not happen.
        list(messages.get_messages(self.request))
        messages.error(self.request, _("The password was changed elsewhere in the meantime. Log in with the new one."))
        return redirect("account_login")


class ChangePassword(ReplacesPassword, allauth.PasswordChangeView):
    """Change the password of the person who is signed in; they stay so in this browser only.

    The current password, which the form asks for, is the fresh proof of identity.
    """

    def unchanged(self) -> AbstractContextManager[None]:
        return still_logged_in(cast(LoggedInRequest, self.request))

    def get_default_success_url(self) -> str:
        return reverse("my-account")


class ResetPassword(ReplacesPassword, allauth.PasswordResetFromKeyView):
    """Take a new password from one who followed the link in a mail; they are signed out everywhere."""

    def form_valid(self, form: ResetPasswordAndTokenForm) -> HttpResponse:  # type: ignore[override]
        if self.request.user.is_authenticated:
            # Every session of this person ends, so this one, too, must be written anew.
            logout(self.request)
        return super().form_valid(form)


def revoke_if_asked(request: HttpRequest, owner: User, posted: dict[str, Any]) -> None:
    """Replace the owner's token where the box is ticked, and leave a message that says so."""
    if not posted["revoke_token"]:
        return
    revoked = issuance.revoke_current(owner, Client.of(request), reason=RevokedToken.Reason.PASSWORD)
    if revoked:
        text = _("Your API token ending %(hint)s was revoked. A new one is in place.")
        messages.success(request, text % {"hint": revoked.hint}, extra_tags="token")


def change_password(request: LoggedInRequest) -> HttpResponseBase:
    """Show the page; one who has no password yet, as accounts made by command may, gets it by mail instead."""
    if not request.user.has_usable_password():
        return redirect("account_reset_password")
    return ChangePassword.as_view()(request)


reset_password = ResetPassword.as_view()
