"""Events of the second step, of passkeys and of reauthentication."""

import re

import pyotp
import pytest
from allauth.mfa.models import Authenticator

from accounts.models import User
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.security_log import Detail, Kind, events, log_in, logged_in_with_empty_log, visitor
from tests.cast import PASSWORD, account_events


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).now()


def test_the_second_step_is_recorded_with_its_detail(alice: User, secret: str) -> None:
    browser = log_in()
    browser.post("/account/login/second-step/", {"code": "000000"})
    browser.post("/account/login/second-step/", {"code": code_of(secret)})

    assert events(alice) == [
        (Kind.LOG_IN_FAILED, Detail.AUTHENTICATOR),
        (Kind.LOGGED_IN, Detail.AUTHENTICATOR),
    ]


def test_a_recovery_code_is_mailed_besides_the_log_in(alice: User, recovery_codes: list[str]) -> None:
    log_in().post("/account/login/second-step/", {"code": recovery_codes[0]})

    assert events(alice) == [(Kind.CODE_USED, ""), (Kind.LOGGED_IN, Detail.RECOVERY_CODES)]


def test_adding_and_removing_a_passkey_is_recorded(alice: User) -> None:
    add, log_in_by_passkey, key = "/account/security/passkeys/add/", "/account/login/passkey/", SecurityKey()
    browser, other = logged_in_with_empty_log(alice), visitor()

    browser.post(add, {"name": "", "credential": key.create(browser.get(add).context["options"]["publicKey"])})
    challenge = other.get(log_in_by_passkey, headers={"Accept": "application/json"}).json()
    other.post(log_in_by_passkey, {"credential": key.get(challenge["request_options"]["publicKey"])})
    passkey = Authenticator.objects.get(type=Authenticator.Type.WEBAUTHN)
    browser.post(f"/account/security/passkeys/{passkey.pk}/remove/")

    assert events(alice) == [
        (Kind.FACTOR_ADDED, Detail.PASSKEY),
        (Kind.FACTOR_ADDED, Detail.RECOVERY_CODES),
        (Kind.LOGGED_IN, Detail.PASSKEY),
        (Kind.FACTOR_REMOVED, Detail.PASSKEY),
        (Kind.FACTOR_REMOVED, Detail.RECOVERY_CODES),
    ]


def test_reauthentication_and_its_failures_are_recorded(alice: User, secret: str) -> None:
    browser = logged_in_with_empty_log(alice)

    browser.post("/account/reauthenticate/", {"password": "guessed wrong"})
    browser.post("/account/reauthenticate/", {"password": PASSWORD})
    browser.post("/account/reauthenticate/code/", {"code": "000000"})
    browser.post("/account/reauthenticate/code/", {"code": code_of(secret)})

    assert events(alice) == [
        (Kind.CONFIRMING_FAILED, Detail.PASSWORD),
        (Kind.CONFIRMED, Detail.PASSWORD),
        (Kind.CONFIRMING_FAILED, Detail.AUTHENTICATOR),
        (Kind.CONFIRMED, Detail.AUTHENTICATOR),
    ]


def test_an_authentication_of_another_kind_is_recorded_without_detail(alice: User) -> None:
    browser = visitor()
    browser.force_login(alice)
    session = browser.session
    session["account_authentication_methods"] = [{"method": "code", "at": 0.0}]
    session["account_authentication_methods_user"] = str(alice.pk)
    session.save()

    browser.force_login(alice)

    assert list(account_events().values_list("kind", "detail")) == [(Kind.LOGGED_IN, ""), (Kind.LOGGED_IN, "")]


@pytest.mark.django_db(transaction=True)
def test_ways_to_log_in_are_written_as_they_come_and_go(alice: User) -> None:
    browser = logged_in_with_empty_log(alice)
    page = browser.get("/account/security/authenticator/").content.decode()
    key = re.findall(r"\b[A-Z2-7]{32}\b", page)[0]

    browser.post("/account/security/authenticator/", {"code": code_of(key)})
    browser.post("/account/security/recovery-codes/new/")
    browser.post("/account/security/authenticator/remove/")

    assert events(alice) == [
        (Kind.FACTOR_ADDED, Detail.AUTHENTICATOR),
        (Kind.FACTOR_ADDED, Detail.RECOVERY_CODES),
        (Kind.CODES_RENEWED, ""),
        (Kind.FACTOR_REMOVED, Detail.AUTHENTICATOR),
        (Kind.FACTOR_REMOVED, Detail.RECOVERY_CODES),
    ]


def test_no_event_holds_a_secret(alice: User, secret: str, recovery_codes: list[str]) -> None:
    log_in("guessed wrong")
    browser = log_in()
    browser.post("/account/login/second-step/", {"code": recovery_codes[0]})
    token = browser.post("/developers/api-access-token/show/", headers={"Accept": "application/json"}).json()["token"]

    shown = [
        repr(list(account_events().values_list())),
        browser.get("/account/security/log/").content.decode(),
        browser.get("/account/security/log/download/").content.decode(),
    ]

    assert "API token shown" in shown[1]
    for kept in ("guessed wrong", PASSWORD, secret, recovery_codes[0], token):
        assert [text for text in shown if kept in text] == []
