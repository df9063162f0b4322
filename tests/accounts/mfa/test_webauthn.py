"""The ceremonies of passkeys: which counters, owners and flags are accepted."""

import json
from dataclasses import replace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from fido2.webauthn import AuthenticatorData
from post_office.models import Email

from accounts.models import PasskeyCredential, User
from accounts.security_log import Detail, Kind
from tests.accounts.mfa.ceremonies import (
    ANSWERS,
    WAYS,
    Way,
    challenge,
    confirms,
    events,
    logs_in,
    passes_the_second_step,
)
from tests.accounts.mfa.security_key import PRESENT_AND_VERIFIED, SecurityKey
from tests.accounts.views.passkeys import ADD, LOG_IN, REFUSED, add_passkey, is_logged_in, options_on
from tests.cast import logged_in

pytestmark = pytest.mark.matrix


@pytest.mark.no_cover
@pytest.mark.parametrize("way", ANSWERS)
def test_a_counter_that_does_not_go_up_is_refused_and_its_owner_is_warned(alice: User, way: Way) -> None:
    key = SecurityKey(count=7)
    add_passkey(alice, key)
    Email.objects.all().delete()

    outcomes = [way(alice, replace(key, count=count)) for count in (8, 8, 0, 12)]

    assert outcomes == [True, False, False, True]
    assert events(alice) == [(Kind.PASSKEY_COPIED, Detail.PASSKEY)] * 2
    [*_, mail] = Email.objects.filter(subject="A passkey was refused")
    assert (mail.to, Email.objects.filter(subject="A passkey was refused").count()) == ([alice.email], 2)
    assert "its counter of uses had gone back" in mail.message
    assert PasskeyCredential.objects.get().sign_count == 12


def test_the_counter_of_a_registration_is_the_first_to_exceed(alice: User) -> None:
    key = SecurityKey(count=7)
    add_passkey(alice, key)

    assert not logs_in(alice, key)
    assert logs_in(alice, replace(key, count=8))


@pytest.mark.no_cover
def test_a_passkey_that_counts_nothing_is_used_again_and_again(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)

    assert [logs_in(alice, key) for _ in range(3)] == [True] * 3
    assert events(alice) == []


def test_a_passkey_that_begins_to_count_goes_on_from_there(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)

    assert [logs_in(alice, replace(key, count=count)) for count in (2**32 - 1, 0)] == [True, False]


def test_a_wrong_signature_moves_no_counter_and_warns_nobody(alice: User) -> None:
    key = SecurityKey(count=7)
    add_passkey(alice, key)

    assert not logs_in(alice, replace(key, count=1, key=ec.generate_private_key(ec.SECP256R1())))
    assert not logs_in(alice, replace(key, count=100, key=ec.generate_private_key(ec.SECP256R1())))

    assert (PasskeyCredential.objects.get().sign_count, events(alice)) == (7, [])


def test_a_passkey_removed_while_it_answers_is_refused_and_nobody_is_warned(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    browser = Browser()
    options = challenge(browser)

    def remove(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and "passkeycredential" in sql:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM accounts_passkeycredential")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(remove):
        browser.post(LOG_IN, {"credential": key.get(options)})

    assert not is_logged_in(browser)
    assert events(alice) == []


@pytest.mark.parametrize("whose", ["alice@example.com", "bob@example.org"])
def test_an_id_of_a_passkey_belongs_to_one_account_and_is_there_once(alice: User, bob: User, whose: str) -> None:
    first = SecurityKey()
    add_passkey(alice, first)

    response = add_passkey(User.objects.get(email=whose), SecurityKey(id=first.id))

    assert response.status_code == 200
    assert REFUSED in response.content.decode()
    assert Authenticator.objects.filter(type="webauthn").count() == 1
    assert not Authenticator.objects.filter(user=bob).exists()
    assert logs_in(alice, first)


def test_an_answer_names_the_passkey_of_the_registration_itself(alice: User) -> None:
    key = SecurityKey()
    browser = logged_in(alice)
    sent = json.loads(key.create(options_on(browser.get(ADD)))) | {"id": "b3RoZXI", "rawId": "b3RoZXI"}

    response = browser.post(ADD, {"credential": json.dumps(sent)})

    assert response.status_code == 200
    assert not Authenticator.objects.exists()


@pytest.mark.no_cover
@pytest.mark.parametrize("way", [passes_the_second_step, confirms])
def test_a_security_key_need_not_name_its_owner_who_is_known(alice: User, bob: User, way: Way) -> None:
    hers, his = SecurityKey(), SecurityKey()
    add_passkey(alice, hers)
    add_passkey(bob, his)

    assert way(alice, replace(hers, user_handle=""))
    assert not way(alice, replace(hers, user_handle=his.user_handle))
    assert not way(alice, his)


@pytest.mark.no_cover
def test_flags_of_an_answer_are_checked_at_every_way(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)

    for flags in (AuthenticatorData.FLAG.UP, AuthenticatorData.FLAG.UV):
        assert [way(alice, replace(key, flags=flags)) for way in WAYS] == [False] * 4
        cache.clear()
    assert [way(alice, replace(key, flags=PRESENT_AND_VERIFIED)) for way in WAYS] == [True] * 4
