"""The ceremonies of passkeys: whose page, which challenge, which counter and which keys are accepted."""

import json
import secrets
from collections.abc import Callable
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
from pytest_django.fixtures import Settings

from accounts.mfa import webauthn
from accounts.models import PasskeyCredential, UsedChallenge, User
from accounts.security_log import Detail, Kind
from tests.accounts.mfa.security_key import ORIGIN, PRESENT_AND_VERIFIED, SecurityKey
from tests.accounts.views.test_passkeys import (
    ADD,
    LOG_IN,
    REAUTHENTICATE,
    REFUSED,
    SECOND_STEP,
    add_passkey,
    is_logged_in,
    log_in,
    options_on,
)
from tests.accounts.views.test_second_step import TWO_HOURS
from tests.cast import PASSWORD, logged_in, reauthenticate

pytestmark = pytest.mark.matrix

JSON = {"Accept": "application/json"}
# What browsers send for a page inside another, and what no browser sends.
SAID: list[dict[str, Any]] = [
    {"crossOrigin": True},
    {"crossOrigin": "true"},
    {"crossOrigin": 1},
    {"crossOrigin": None},
    {"crossOrigin": []},
    {"topOrigin": "https://evil.example.com"},
    {"topOrigin": ORIGIN},
    {"crossOrigin": True, "topOrigin": ORIGIN},
    {"origin": [ORIGIN]},
    {"origin": None},
    {"origin": ...},
]
# The origins of the page, real or claimed.
OTHER_PAGES: list[dict[str, Any]] = [
    *(
        {"origin": origin}
        for origin in (
            "https://user-pages.app.example.com",
            "https://a.b.app.example.com",
            "https://example.com",
            "https://xapp.example.com",
            "https://app.example.com:8443",
            "https://app.example.com:443",
            "https://app.example.com.",
            "https://app.example.com/",
            "https://app.example.com.evil.example",
            "https://alice@app.example.com",
            "https://APP.example.com",
            "http://app.example.com",
            "https://app.example.com\u0000",
            "https://\u0430pp.example.com",
            "android:apk-key-hash:abc",
            "app.example.com",
            "null",
            "",
        )
    ),
    *({"says": said} for said in SAID),
]


def challenge(browser: Browser) -> Any:
    return browser.get(LOG_IN, headers=JSON).json()["request_options"]["publicKey"]


def logs_in(alice: User, key: SecurityKey) -> bool:
    return is_logged_in(log_in(key))


def passes_the_second_step(alice: User, key: SecurityKey) -> bool:
    browser = Browser()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    browser.post(SECOND_STEP, {"credential": key.get(options_on(browser.get(SECOND_STEP)))})
    return is_logged_in(browser)


def confirms(alice: User, key: SecurityKey) -> bool:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=TWO_HOURS)
    options = options_on(browser.get(f"{REAUTHENTICATE}?next={ADD}"))
    browser.post(REAUTHENTICATE, {"credential": key.get(options), "next": ADD})
    return bool(browser.get(ADD).status_code == 200)


def adds_another(alice: User, key: SecurityKey) -> bool:
    another = replace(key, id=secrets.token_bytes(16))
    add_passkey(alice, another)
    return PasskeyCredential.objects.filter(credential_id=another.id).exists()


Way = Callable[[User, SecurityKey], bool]
ANSWERS: list[Way] = [logs_in, passes_the_second_step, confirms]
WAYS: list[Way] = [*ANSWERS, adds_another]


def events(user: User) -> list[tuple[str, str]]:
    return list(user.security_events.filter(kind=Kind.PASSKEY_COPIED).values_list("kind", "detail"))


@pytest.mark.parametrize("way", WAYS)
def test_only_the_page_at_public_url_has_a_passkey_answer(alice: User, way: Way) -> None:
    key = SecurityKey()
    add_passkey(alice, key)

    accepted = []
    # Those who log in and those who add one meet every page; what is left shares the code of the first.
    for other in OTHER_PAGES if way in (logs_in, adds_another) else OTHER_PAGES[:: len(OTHER_PAGES) // 4]:
        cache.clear()
        accepted += [other] if way(alice, replace(key, **other)) else []

    assert accepted == []
    assert way(alice, key)
    # A browser of before Level 2 does not say whether a page is inside another.
    assert way(alice, replace(key, says={"crossOrigin": ...}))


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("https://app.example.com", "https://app.example.com", "app.example.com"),
        ("https://APP.Example.com:443", "https://app.example.com", "app.example.com"),
        ("https://app.example.com:8443/panel", "https://app.example.com:8443", "app.example.com"),
        ("http://localhost:8000", "http://localhost:8000", "localhost"),
        ("http://localhost:80", "http://localhost", "localhost"),
        ("http://localhost:443", "http://localhost:443", "localhost"),
        ("https://bücher.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_the_origin_is_that_of_public_url_as_browsers_write_it(
    settings: Settings, url: str, origin: str, host: str
) -> None:
    settings.PUBLIC_URL = url

    assert (webauthn.public_origin(), webauthn.public_host()) == (origin, host)


def test_with_a_port_in_public_url_the_page_at_that_port_alone_has_a_passkey_answer(
    alice: User, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://app.example.com:8443"
    key = SecurityKey(origin="https://app.example.com:8443")
    add_passkey(alice, key)

    assert logs_in(alice, key)
    assert not logs_in(alice, replace(key, origin=ORIGIN))


@pytest.mark.no_cover
@pytest.mark.parametrize("way", ANSWERS)
def test_a_counter_that_does_not_go_up_is_refused_and_its_owner_is_warned(alice: User, way: Way) -> None:
    key = SecurityKey(count=7)
    add_passkey(alice, key)
    Email.objects.all().delete()

    outcomes = [way(alice, replace(key, count=count)) for count in (8, 8, 7, 0, 9, 12)]

    assert outcomes == [True, False, False, False, True, True]
    assert events(alice) == [(Kind.PASSKEY_COPIED, Detail.PASSKEY)] * 3
    [*_, mail] = Email.objects.filter(subject="A passkey was refused")
    assert (mail.to, Email.objects.filter(subject="A passkey was refused").count()) == ([alice.email], 3)
    assert "its counter of uses had gone back" in mail.message
    assert PasskeyCredential.objects.get().sign_count == 12


def test_the_counter_of_a_registration_is_the_first_to_exceed(alice: User) -> None:
    key = SecurityKey(count=7)
    add_passkey(alice, key)

    assert not logs_in(alice, key)
    assert logs_in(alice, replace(key, count=8))


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


@pytest.mark.no_cover
@pytest.mark.parametrize("way", WAYS)
def test_a_challenge_is_answered_once_also_where_its_session_is_written_back(alice: User, way: Way) -> None:
    """Concurrent requests read one session, and the last one to end writes the challenge back."""
    key = SecurityKey(count=1)
    add_passkey(alice, key)
    challenges: list[Any] = []

    def again(browser: Browser, path: str, answer: dict[str, str]) -> bool:
        session = browser.session
        session[webauthn.CHALLENGE] = challenges[0]
        session.save()
        return REFUSED in browser.post(path, answer, follow=True).content.decode()

    browser, path = logged_in(alice), ADD
    if way in (logs_in, passes_the_second_step):
        browser, path = Browser(), LOG_IN
        options = challenge(browser)
        if way is passes_the_second_step:
            browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
            path = SECOND_STEP
            options = options_on(browser.get(path))
    elif way is confirms:
        path = REAUTHENTICATE
        options = options_on(browser.get(path))
    else:
        options = options_on(browser.get(path))
    challenges.append(browser.session[webauthn.CHALLENGE])
    used = replace(key, count=2) if path != ADD else replace(key, id=b"another")
    answer = {"credential": used.create(options) if path == ADD else used.get(options)}
    assert browser.post(path, answer).status_code == 302

    thief = browser if path in (REAUTHENTICATE, ADD) else Browser()
    if path == SECOND_STEP:
        thief.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    elif path == LOG_IN:
        challenge(thief)

    assert again(thief, path, answer)
    assert UsedChallenge.objects.count() == 2
    assert events(alice) == []


def test_a_wrong_answer_takes_the_challenge_too(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    browser = Browser()
    options = challenge(browser)

    browser.post(LOG_IN, {"credential": replace(key, origin="https://evil.example").get(options)})
    browser.post(LOG_IN, {"credential": key.get(options)})

    assert not is_logged_in(browser)


@pytest.mark.parametrize(
    ("seconds", "is_accepted"), [(590, True), (610, False), (86_400, False), (-3, True), (-8, False)]
)
def test_a_challenge_lasts_ten_minutes(alice: User, clock: list[float], seconds: int, is_accepted: bool) -> None:
    key, another = SecurityKey(), SecurityKey()
    add_passkey(alice, key)
    visitor, browser = Browser(), logged_in(alice)
    options, to_add = challenge(visitor), options_on(browser.get(ADD))

    clock[0] += seconds
    visitor.post(LOG_IN, {"credential": key.get(options)})
    browser.post(ADD, {"credential": another.create(to_add)})

    assert options["timeout"] == to_add["timeout"] == 600_000
    assert is_logged_in(visitor) == is_accepted
    assert (PasskeyCredential.objects.count() == 2) == is_accepted


def test_used_challenges_are_forgotten_once_they_have_expired(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    UsedChallenge.objects.update(used_at="2020-01-01T00:00:00Z")

    assert logs_in(alice, key)

    assert UsedChallenge.objects.count() == 1


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

    for flags in (AuthenticatorData.FLAG(0), AuthenticatorData.FLAG.UP, AuthenticatorData.FLAG.UV):
        assert [way(alice, replace(key, flags=flags)) for way in WAYS] == [False] * 4
        cache.clear()
    assert [way(alice, replace(key, flags=PRESENT_AND_VERIFIED)) for way in WAYS] == [True] * 4
