"""The forms of a link that confirms an address, when it is followed in another browser."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import passwords
from accounts.forms.account import PASSWORD_HELP, PlainForm
from accounts.models import SignUp, User
from accounts.security_log import Detail, Kind, record_failure
from accounts.throttling import attempts
from accounts.web.clients import Client


def password_field(label: Any) -> forms.CharField:
    return forms.CharField(label=label, strip=False, widget=forms.PasswordInput)


class SignUpPasswordForm(PlainForm):
    """Asks for the password of the sign-up whose link was followed."""

    autocomplete = {"password": "current-password"}
    password = password_field(_("Password you signed up with"))

    def __init__(self, *args: Any, request: HttpRequest, waiting: SignUp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.waiting = request, waiting

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        attempt = attempts.count_password_attempt(self.request, self.waiting.email)
        if not passwords.check(password, self.waiting.password):
            raise forms.ValidationError(_("That is not the password of this sign-up. Try again, or choose a new one."))
        attempt.give_back()
        return password

    def hashed(self) -> str:
        return self.waiting.password


class NewPasswordForm(PlainForm):
    """Asks for a new password, since somebody else may have chosen that of the sign-up."""

    autocomplete = {"password1": "new-password"}
    helps = {"password1": PASSWORD_HELP}
    password1 = password_field(_("New password"))

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        # The form above this one has the focus.
        self.fields["password1"].widget.attrs.pop("autofocus")

    def clean_password1(self) -> str:
        password: str = get_adapter().clean_password(self.cleaned_data["password1"], user=User(email=self.email))
        return password

    def hashed(self) -> str:
        return passwords.make(self.cleaned_data["password1"])


class AccountPasswordForm(PlainForm):
    """Asks for the password of the account that requested a change of email."""

    autocomplete = {"password": "current-password"}
    password = password_field(_("Password of that account"))

    def __init__(self, *args: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.user = request, user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        attempt = attempts.count_password_attempt(self.request, self.user.email)
        if not self.user.check_password(password):
            record_failure(Kind.CONFIRMING_FAILED, self.user, Client.of(self.request), Detail.PASSWORD)
            raise forms.ValidationError(_("That is not its password. Try again."))
        attempt.give_back()
        return password
