"""allauth's forms for second factors: codes that work once, and passkeys by our own ceremonies."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unicodedata import category

from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as codes
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.webauthn import forms as passkeys
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from accounts.forms.account import PlainForm
from accounts.forms.fields import NameField, apply
from accounts.keyring import Unreadable
from accounts.mfa import encryption, webauthn
from accounts.mfa.factors import use_code
from accounts.models import User
from accounts.quotas import PASSKEYS, QuotaExceeded
from accounts.text import normalize_digits
from accounts.throttling import attempts

ENCRYPTED_SECRET = "sealed_authenticator_secret"  # noqa: S105 - a name in the session


class CodeForm(PlainForm):
    """A form with one code. Phones show a numeric keypad, and devices that received the code offer it."""

    autocomplete = {"code": "one-time-code"}
    labels = {"code": _("Code")}
    # Anything else is no attempt: it cannot be right, and whoever typed it learns nothing.
    a_code = RegexValidator(r"^(\d{6}|\d{8})\Z", _("A code has six digits, and a recovery code has eight."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "spellcheck": "false", "dir": "ltr"}
        apply(self.fields["code"], _code)
        self.fields["code"].validators.append(self.a_code)

    def clean_code(self) -> str:
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except Authenticator.DoesNotExist:
            # Removed or replaced since the query before: allauth reads the row again to lock it.
            raise get_adapter().validation_error("incorrect_code") from None
        if not use_code(self.user, code):  # type: ignore[attr-defined]
            raise get_adapter().validation_error("incorrect_code")
        return code


def _code(text: str) -> str:
    """Return a typed code without blanks and punctuation."""
    return str(normalize_user_code(normalize_digits(text)))


class ActivateTOTPForm(CodeForm, totp.ActivateTOTPForm):
    """Stores the new secret encrypted until a code proves that the app has it; allauth stores it in plain text."""

    labels = {"code": _("Code from the app")}
    a_code = RegexValidator(r"^\d{6}\Z", _("A code has six digits."))
    is_renewed = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        session = context.request.session
        del session[SECRET_SESSION_KEY]
        if self.is_bound and ENCRYPTED_SECRET in session:
            # Where its key has left the ring, the page starts again with the secret just made.
            with suppress(Unreadable):
                self.secret = encryption.decrypt(session[ENCRYPTED_SECRET])
                return
            self.is_renewed = True
        session[ENCRYPTED_SECRET] = encryption.encrypt(self.secret)

    def clean_code(self) -> str:
        if self.is_renewed:
            raise get_adapter().validation_error("secret_renewed")
        code: str = super().clean_code()
        return code


class LimitedCodeForm(CodeForm):
    def clean_code(self) -> str:
        attempt = attempts.count_code_attempt(context.request, self.user)  # type: ignore[attr-defined]
        code = super().clean_code()
        attempt.give_back()
        return code


class AuthenticateCodeForm(LimitedCodeForm, codes.AuthenticateForm):
    pass


class ReauthenticateCodeForm(LimitedCodeForm, codes.ReauthenticateForm):
    pass


@contextmanager
def one_answer_for_bad_passkeys() -> Iterator[None]:
    try:
        yield
    except webauthn.PasskeyRefused:
        raise get_adapter().validation_error("incorrect_passkey") from None


def validate_name(text: str) -> None:
    """Raise `ValidationError` where a name holds control characters or lone surrogates."""
    if any(category(letter) in ("Cc", "Cs") for letter in text):
        raise ValidationError(_("Leave out control characters."))


def passkey_answer() -> forms.Field:
    """Return the field for the browser's answer. `one_answer_for_bad_passkeys` reports every error in it alike."""
    return forms.Field(required=False, widget=forms.HiddenInput)


class AddPasskeyForm(forms.Form):
    """Adds a passkey. Each can log in alone: the challenge requires one that is discoverable and verifies its user."""

    name = NameField(label=_("Name"), max_length=60, required=False, validators=[validate_name])
    credential = passkey_answer()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_name(self) -> str:
        return self.cleaned_data["name"] or get_adapter().generate_authenticator_name(
            self.user, Authenticator.Type.WEBAUTHN
        )

    def clean(self) -> None:
        if not self.errors:
            with one_answer_for_bad_passkeys():
                self.new = webauthn.register(context.request, self.cleaned_data["credential"])

    def save(self) -> Authenticator:
        """Add the passkey. Call it in `still_logged_in`.

        Raises `ValidationError` where another account has its id, and where the quota is reached.
        """
        try:
            PASSKEYS.check(webauthn.passkeys_of(self.user).count())
        except QuotaExceeded as refusal:
            raise ValidationError(str(refusal)) from None
        with one_answer_for_bad_passkeys():
            return webauthn.keep(self.user, self.cleaned_data["name"], self.new)


class PasskeyForm(forms.Form):
    credential: Any = passkey_answer()

    def clean_credential(self) -> Authenticator:
        with one_answer_for_bad_passkeys():
            answer, person = self.cleaned_data["credential"], self.user  # type: ignore[attr-defined]
            return webauthn.authenticate(context.request, answer, person)


class LimitedPasskeyForm(PasskeyForm):
    def clean_credential(self) -> Authenticator:
        attempt = attempts.count_passkey_attempt(context.request, self.user)  # type: ignore[attr-defined]
        passkey = super().clean_credential()
        attempt.give_back()
        return passkey


class AuthenticatePasskeyForm(LimitedPasskeyForm, passkeys.AuthenticateWebAuthnForm):
    pass


class LoginPasskeyForm(PasskeyForm, passkeys.LoginWebAuthnForm):
    pass


class ReauthenticatePasskeyForm(LimitedPasskeyForm, passkeys.ReauthenticateWebAuthnForm):
    pass


class PasskeyNameForm(forms.Form):
    name = NameField(label=_("Name"), max_length=60, validators=[validate_name])
