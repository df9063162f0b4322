"""allauth's forms with our widgets: labels instead of placeholders, and hints for password managers."""

from typing import Any

from allauth.account import forms as allauth
from django import forms

from accounts.models import User


class Plain(forms.Form):
    """Show fields as the design has them: no placeholders, and each with its right `autocomplete`."""

    autocomplete: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in self.autocomplete:
                field.widget.attrs["autocomplete"] = self.autocomplete[name]


class LoginForm(Plain, allauth.LoginForm):
    autocomplete = {"login": "username", "password": "current-password"}


class SignupForm(Plain, allauth.SignupForm):
    autocomplete = {"email": "username", "password1": "new-password"}


class ResetPasswordForm(Plain, allauth.ResetPasswordForm):
    autocomplete = {"email": "username"}


class ResetPasswordKeyForm(Plain, allauth.ResetPasswordKeyForm):
    autocomplete = {"password1": "new-password", "password2": "new-password"}


class ChangePasswordForm(Plain, allauth.ChangePasswordForm):
    autocomplete = {"oldpassword": "current-password", "password1": "new-password", "password2": "new-password"}


class ReauthenticateForm(Plain, allauth.ReauthenticateForm):
    autocomplete = {"password": "current-password"}


class NameForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("name",)
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}
