"""A request whose session is ended meanwhile changes nothing more."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyotp
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import call_command
from django.test import Client as Browser
from django.urls import reverse

from accounts import deletion
from accounts.forms import account as forms
from accounts.models import User
from accounts.sessions import digest, still_logged_in
from accounts.views import account as views
from accounts.views import deletion as deletion_views
from accounts.views import passkeys, security
from developers.views import password
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import options_on
from tests.cast import PASSWORD, logged_in

NEW_EMAIL = "alice@wonderland.example"


def add_app(browser: Browser) -> Any:
    page = browser.get(reverse("set-up-authenticator")).content.decode()
    [secret] = set(re.findall(r"\b[A-Z2-7]{32}\b", page))
    code = pyotp.TOTP(secret).now()
    return lambda: browser.post(reverse("set-up-authenticator"), {"code": code})


def add_passkey(browser: Browser) -> Any:
    options = options_on(browser.get(reverse("add-passkey")))
    return lambda: browser.post(reverse("add-passkey"), {"credential": SecurityKey().create(options)})


def ask_for_email(browser: Browser) -> Any:
    return lambda: browser.post(reverse("account_email"), {"email": NEW_EMAIL, "action_add": ""})


def make_codes(browser: Browser) -> Any:
    return lambda: browser.post(reverse("make-recovery-codes"))


def end_others(browser: Browser) -> Any:
    return lambda: browser.post(reverse("end-other-sessions"))


def change_password_too(browser: Browser) -> Any:
    posted = {"oldpassword": PASSWORD, "password1": "password of a thief", "password2": "password of a thief"}
    return lambda: browser.post(reverse("account_change_password"), posted)


def delete_too(browser: Browser) -> Any:
    return lambda: browser.post(reverse("delete-account"), {"email": "alice@example.com"})


def end_one(thief: Browser) -> None:
    user = User.objects.get()
    logged_in(user).post(reverse("end-session"), {"session": digest(thief.session.session_key or "")})


def end_the_others(thief: Browser) -> None:
    logged_in(User.objects.get()).post(reverse("end-other-sessions"))


def deactivate(thief: Browser) -> None:
    User.objects.update(is_active=False)


def remove_factors(thief: Browser) -> None:
    call_command("remove_factors", "--user", "alice@example.com")


@pytest.mark.parametrize("end", [end_one, end_the_others, remove_factors, deactivate])
@pytest.mark.parametrize(
    "prepare", [add_app, add_passkey, ask_for_email, make_codes, end_others, change_password_too, delete_too]
)
def test_a_session_that_is_ended_in_the_middle_changes_nothing_more(
    alice: User, prepare: Callable[[Browser], Any], end: Callable[[Browser], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thief's request has found its session, and the owner ends that session before it goes on."""
    RecoveryCodes.activate(alice)
    if prepare is not add_app:
        TOTP.activate(alice, pyotp.random_base32())
    thief = logged_in(alice)
    send = prepare(thief)
    ends = iter([thief])
    take_hold = still_logged_in.__wrapped__  # type: ignore[attr-defined]

    @contextmanager
    def end_first(request: Any) -> Iterator[None]:
        for browser in ends:
            end(browser)
        yield from take_hold(request)

    for module in (deletion, deletion_views, forms, passkeys, password, security, views):
        if hasattr(module, "still_logged_in"):
            monkeypatch.setattr(module, "still_logged_in", end_first)
    before = state()

    answer = send()

    after = state()
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/")
    assert after["password"] == before["password"]
    assert after["addresses"] == before["addresses"]
    assert after["factors"] <= before["factors"]
    assert thief.get(reverse("security")).status_code == 302


def state() -> dict[str, Any]:
    return {
        "password": User.objects.get().password,
        "addresses": list(EmailAddress.objects.values_list("email", flat=True)),
        "factors": set(Authenticator.objects.values_list("pk", "type")),
    }
