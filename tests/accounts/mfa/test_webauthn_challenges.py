"""A challenge is answered once, within ten minutes."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client as Browser

from accounts.mfa import webauthn
from accounts.models import PasskeyCredential, UsedChallenge, User
from tests.accounts.mfa.ceremonies import WAYS, Way, challenge, confirms, events, logs_in, passes_the_second_step
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import (
    ADD,
    LOG_IN,
    REAUTHENTICATE,
    REFUSED,
    SECOND_STEP,
    add_passkey,
    is_logged_in,
    options_on,
)
from tests.cast import PASSWORD, logged_in

pytestmark = pytest.mark.matrix


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
