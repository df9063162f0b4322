"""Which answers of passkeys the pages refuse."""

from dataclasses import replace
from typing import Any

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client as Browser
from fido2.webauthn import AuthenticatorData
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import ADD, LOG_IN, NONSENSE, REFUSED, SECOND_STEP, add_passkey, is_logged_in, log_in
from tests.accounts.views.second_step import SECURITY
from tests.cast import PASSWORD, logged_in

pytestmark = pytest.mark.matrix

# No JSON, JSON of another kind, an answer without a valid member, and one that only the signature makes invalid.
SAMPLE = {2, 7, 12}
SOME_NONSENSE = [
    pytest.param(nonsense, marks=[] if number in SAMPLE else pytest.mark.release)
    for number, nonsense in enumerate(NONSENSE)
]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://evil.example.com"},
        {"origin": "http://app.example.com"},
        {"flags": AuthenticatorData.FLAG.UP},
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"id": b"another"},
        {"user_handle": ""},
    ],
    ids=["another site", "plain http", "nobody verified", "another key", "another id", "no person"],
)
def test_an_answer_that_is_not_quite_right_logs_nobody_in(alice: User, change: dict[str, Any]) -> None:
    key = SecurityKey()
    add_passkey(alice, key)

    assert not is_logged_in(log_in(replace(key, **change)))


def test_the_passkey_of_one_person_does_not_log_in_another(alice: User, bob: User) -> None:
    hers, his = SecurityKey(), SecurityKey()
    add_passkey(alice, hers)
    add_passkey(bob, his)

    assert not is_logged_in(log_in(replace(his, user_handle=hers.user_handle)))


def test_a_deactivated_account_is_not_opened_by_its_passkey(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    User.objects.update(is_active=False)

    assert not is_logged_in(log_in(key))


def test_a_passkey_that_verifies_nobody_is_not_added(alice: User) -> None:
    response = add_passkey(alice, SecurityKey(flags=AuthenticatorData.FLAG.UP))

    assert response.status_code == 200
    assert not Authenticator.objects.exists()


@pytest.mark.no_cover
@pytest.mark.parametrize("nonsense", SOME_NONSENSE)
def test_nonsense_logs_nobody_in_and_is_answered_on_the_log_in_page(alice: User, nonsense: str) -> None:
    browser = Browser()
    browser.get(LOG_IN, headers={"Accept": "application/json"})

    response = browser.post(LOG_IN, {"credential": nonsense, "next": SECURITY})

    assert (response.status_code, response["Location"]) == (302, "/account/login/?next=%2Faccount%2Fsecurity%2F")
    assert browser.get("/account/").status_code == 302


@pytest.mark.no_cover
@pytest.mark.parametrize("nonsense", SOME_NONSENSE)
def test_nonsense_adds_no_passkey(alice: User, nonsense: str) -> None:
    browser = logged_in(alice)
    browser.get(ADD)

    response = browser.post(ADD, {"credential": nonsense, "name": "My laptop"})

    assert response.status_code == 200
    assert not Authenticator.objects.exists()


@pytest.mark.no_cover
@pytest.mark.parametrize("nonsense", SOME_NONSENSE)
def test_nonsense_is_no_second_step(alice: User, nonsense: str) -> None:
    TOTP.activate(alice, pyotp.random_base32())
    browser = Browser()
    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})

    response = browser.post(SECOND_STEP, {"credential": nonsense})

    assert response.status_code == 200
    assert browser.get("/account/").status_code == 302


def test_a_passkey_without_a_challenge_is_refused(alice: User) -> None:
    response = Browser().post(LOG_IN, {"credential": NONSENSE[-5]}, follow=True)

    assert REFUSED in response.content.decode()


def test_a_second_step_takes_five_wrong_answers_of_a_passkey(alice: User) -> None:
    TOTP.activate(alice, pyotp.random_base32())
    browser = Browser()
    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    for _time in range(5):
        browser.post(SECOND_STEP, {"credential": NONSENSE[-5]})

    responses = [browser.post(SECOND_STEP, answer) for answer in ({"credential": NONSENSE[-5]}, {"code": "000000"})]

    assert [response.status_code for response in responses] == [429, 200]


def test_an_address_gets_so_many_challenges_a_minute(alice: User, settings: Settings) -> None:
    settings.MFA_RATE_LIMITS = {"passkey_challenge": "2/m/ip"}
    browser = Browser()

    responses = [browser.get(LOG_IN, headers={"Accept": "application/json"}) for _time in range(3)]

    assert [response.status_code for response in responses] == [200, 200, 429]
