"""allauth's forms with labels instead of placeholders, and with hints for password managers."""

from functools import partial
from typing import Any, cast

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core import context
from django import forms
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from accounts import email_changes, passwords, sign_ups
from accounts.email_addresses import account_address, mailbox, normalized, shown
from accounts.forms.fields import NameField, apply
from accounts.mail import notices
from accounts.models import User, languages
from accounts.security_log import Kind, record
from accounts.sessions import still_logged_in
from accounts.text import normalize, opaque
from accounts.throttling import attempts
from accounts.web.clients import Client
from accounts.web.requests import LoggedInRequest
from accounts.web.responses import after_response

# Names of fields. A password of before is also tried as it was typed.
NEW_PASSWORDS = ("password1", "password2")
PASSWORD_HELP = _("At least 10 characters, and none of the passwords that many people use.")


class PlainForm(forms.Form):
    """Shows fields as the design has them: own labels, no placeholders, hints for password managers.

    The first empty field gets the focus: these pages hold nothing but their form.
    """

    autocomplete: dict[str, str] = {}
    labels: dict[str, Any] = {}
    helps: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            # allauth's help texts are lists and links, which the templates have.
            field.help_text = self.helps.get(name, "")
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["autocomplete"] = self.autocomplete[name]
            if isinstance(field, forms.EmailField):
                _take_as_typed(field)
            if isinstance(field.widget, forms.PasswordInput):
                # Not `maxlength`: browsers silently cut off pasted text.
                field.validators.append(passwords.validate_length)
                if name in NEW_PASSWORDS:
                    apply(field, opaque)
        unfilled = next((bound for bound in self if bound.widget_type == "password" or not bound.value()), None)
        if unfilled:
            unfilled.field.widget.attrs["autofocus"] = True


def _take_as_typed(field: forms.EmailField) -> None:
    """Leave the checks of an address to our own rule: browsers and Django refuse domains and signs of other scripts."""
    field.validators.remove(validate_email)
    field.widget.input_type = "text"
    field.widget.attrs.pop("type", None)
    field.widget.attrs |= {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false", "dir": "ltr"}


class MailboxForm(PlainForm):
    """A form with an address to which mail is sent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        apply(self.fields["email"], lambda text: normalized(text) if normalize(text) else "")


class LoginForm(PlainForm, allauth.LoginForm):
    autocomplete = {"login": "username", "password": "current-password"}
    labels = {"login": _("Email"), "password": _("Password")}

    def clean_login(self) -> str:
        """Return the address as its account stores it. Version 0.1.0 stored other spellings and invalid addresses."""
        typed: str = super().clean_login()
        address = account_address(typed)
        owner = User.objects.by_email(typed)
        return owner.email if owner else address


class SignupForm(MailboxForm, allauth.SignupForm):
    autocomplete = {"email": "username", "password1": "new-password"}
    labels = {"email": _("Email"), "password1": _("Password")}
    helps = {"password1": PASSWORD_HELP}

    def clean(self) -> dict[str, Any]:
        cleaned = cast("dict[str, Any]", super().clean())
        if not self.errors:
            sign_ups.count_attempt(context.request)
        return cleaned

    def try_save(self, request: HttpRequest) -> tuple[None, HttpResponseBase]:
        """Respond before looking up whether the address has an account. None is created before it is confirmed."""
        email, password = self.cleaned_data["email"], passwords.make(self.cleaned_data["password1"])
        response: HttpResponseBase = get_adapter().respond_email_verification_sent(request, None)
        browser = sign_ups.mark_browser(request, response)
        after_response(request, partial(sign_ups.begin, request, email, password, browser))
        return None, response

    def validate_unique_email(self, value: str) -> str:
        return value


class ResetPasswordForm(MailboxForm, allauth.ResetPasswordForm):
    autocomplete = {"email": "username"}
    labels = {"email": _("Email")}

    def clean_email(self) -> str:
        """Look up nothing: the time of the response would show what was found."""
        return normalized(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        after_response(request, partial(self.mail, request))
        return self.clean_email()

    def mail(self, request: HttpRequest) -> None:
        """Mail the link for a new password, or the link that confirms the address if it is unconfirmed."""
        owner = User.objects.by_email(self.clean_email())
        self.users = [owner] if owner and owner.is_active else []
        if owner:
            super().save(request)
        else:
            sign_ups.mail_again(request, self.clean_email())


class SendAgainForm(MailboxForm):
    """Asks for the address to which the link that confirms it is mailed again."""

    autocomplete = {"email": "username"}
    email = forms.EmailField(label=_("Email"))

    def clean_email(self) -> str:
        return normalized(self.cleaned_data["email"])


class ResetPasswordKeyForm(PlainForm, allauth.ResetPasswordKeyForm):
    autocomplete = {"password1": "new-password", "password2": "new-password"}
    labels = {"password1": _("New password"), "password2": _("New password, again")}
    helps = {"password1": PASSWORD_HELP}


class ChangePasswordForm(PlainForm, allauth.ChangePasswordForm):
    autocomplete = {"oldpassword": "current-password", "password1": "new-password", "password2": "new-password"}
    labels = {
        "oldpassword": _("Current password"),
        "password1": _("New password"),
        "password2": _("New password, again"),
    }
    helps = {"password1": PASSWORD_HELP}

    def clean_oldpassword(self) -> str:
        attempt = attempts.count_password_attempt(context.request, cast(User, self.user).email)
        password: str = super().clean_oldpassword()
        attempt.give_back()
        return password


class ChangeEmailForm(MailboxForm, allauth.AddEmailForm):
    autocomplete = {"email": "email"}
    labels = {"email": _("New email")}
    user: User

    def clean(self) -> None:
        super().clean()
        if not self.errors:
            email_changes.count_address(context.request, self.user, self.cleaned_data["email"])

    def save(self, request: HttpRequest) -> EmailAddress:
        """Notify the old address, and mail the link to the new one: both or neither."""
        old, new = self.user.email, self.cleaned_data["email"]
        with still_logged_in(cast(LoggedInRequest, request)):
            event = record(Kind.EMAIL_ASKED, self.user, Client.of(request))
            notices.notify(event, self.user, notices.EMAIL_ASKED, from_email=shown(old), to_email=shown(new))
            waiting: EmailAddress = super().save(request)
        return waiting


class ReauthenticateForm(PlainForm, allauth.ReauthenticateForm):
    autocomplete = {"password": "current-password"}
    labels = {"password": _("Password")}


class DeleteAccountForm(PlainForm):
    """Asks for the email of the account as a confirmation."""

    autocomplete = {"email": "off"}

    email = forms.EmailField(label=_("Type your email to go on"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if mailbox(email) != mailbox(self.user.email):
            raise forms.ValidationError(_("That is not the email of this account."))
        return email


class NameForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("name",)
        field_classes = {"name": NameField}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}


class LanguageForm(forms.Form):
    language = forms.ChoiceField(
        label=_("Language"), choices=languages, help_text=_("Pages and emails are in this language.")
    )


class MailsForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("mails_new_uses",)
        help_texts = {
            "mails_new_uses": _("From a week after the first use of the token. The security log always lists both.")
        }


class EndSessionForm(forms.Form):
    """Takes the session to end, by the key of its row."""

    session = forms.CharField(max_length=40)
