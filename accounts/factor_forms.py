"""allauth's forms for second factors: codes that work once, and passkeys whose answer may hold anything."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as codes
from allauth.mfa.totp import forms as totp
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.webauthn import forms as passkeys
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import guesses, sealing
from accounts.factors import spend
from accounts.forms import Plain

SEALED_SECRET = "sealed_authenticator_secret"  # noqa: S105 - a name in the session


class Code(Plain):
    """A form with one code, typed on a keypad of digits and offered by the device that got it."""

    autocomplete = {"code": "one-time-code"}
    labels = {"code": _("Code")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "spellcheck": "false"}

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        if not spend(self.user, code):  # type: ignore[attr-defined]
            raise get_adapter().validation_error("incorrect_code")
        return code


class ActivateTOTPForm(Code, totp.ActivateTOTPForm):
    """Keep the new secret sealed until a code proves that the app has it; allauth keeps it as it is."""

    labels = {"code": _("Code from the app")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        session = context.request.session
        del session[SECRET_SESSION_KEY]
        if self.is_bound and SEALED_SECRET in session:
            self.secret = sealing.unseal(session[SEALED_SECRET])
        else:
            session[SEALED_SECRET] = sealing.seal(self.secret)


class GuessedCode(Code):
    def clean_code(self) -> str:
        guess = guesses.at_code(context.request, self.user)  # type: ignore[attr-defined]
        code = super().clean_code()
        guess.give_back()
        return code


class AuthenticateForm(GuessedCode, codes.AuthenticateForm):
    pass


class ReauthenticateForm(GuessedCode, codes.ReauthenticateForm):
    pass


@contextmanager
def one_answer_for_bad_passkeys() -> Iterator[None]:
    """Refuse a credential that is wrong in whatever way: what it holds is up to who sends it.

    fido2 raises any of these on its way through bytes and CBOR.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error):
        raise get_adapter().validation_error("incorrect_passkey") from None
    except ValidationError as error:
        code = "incorrect_passkey" if getattr(error, "code", "") == "incorrect_code" else ""
        raise (get_adapter().validation_error(code) if code else error) from None


class AddPasskeyForm(passkeys.AddWebAuthnForm):
    """Every passkey can log in alone: the challenge asks for one that is discoverable and verifies its user."""

    passwordless = None  # type: ignore[assignment]  # how Django takes a field away
    name = forms.CharField(label=_("Name"), max_length=60, required=False)

    def clean(self) -> dict[str, Any]:
        with one_answer_for_bad_passkeys():
            cleaned: dict[str, Any] = super().clean()
        return cleaned


class Passkey(forms.Form):
    def clean_credential(self) -> Any:
        with one_answer_for_bad_passkeys():
            return super().clean_credential()  # type: ignore[misc]


class CountedPasskey(Passkey):
    def clean_credential(self) -> Any:
        answer = guesses.at_passkey(context.request, self.user)  # type: ignore[attr-defined]
        credential = super().clean_credential()
        answer.give_back()
        return credential


class AuthenticatePasskeyForm(CountedPasskey, passkeys.AuthenticateWebAuthnForm):
    pass


class LoginPasskeyForm(Passkey, passkeys.LoginWebAuthnForm):
    pass


class ReauthenticatePasskeyForm(CountedPasskey, passkeys.ReauthenticateWebAuthnForm):
    pass


class PasskeyNameForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=60)
