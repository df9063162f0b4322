"""Concurrent requests that use or add factors, on SQLite and on PostgreSQL."""

import secrets
from dataclasses import replace
from itertools import count

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.models import PasskeyCredential, Session, UsedChallenge, User
from tests.accounts.mfa.ceremonies import challenge, events
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import (
    ADD,
    LOG_IN,
    REAUTHENTICATE,
    SECOND_STEP,
    add_passkey,
    is_logged_in,
    options_on,
)
from tests.accounts.views.second_step import SET_UP, TWO_HOURS, code_of, give_password, key_on
from tests.cast import logged_in, reauthenticate
from tests.test_races import at_once

pytestmark = [pytest.mark.no_cover, pytest.mark.django_db(transaction=True)]
COOKIE = settings.SESSION_COOKIE_NAME


def twin(browser: Browser) -> Browser:
    """Return a browser with the same cookies: a second request of one browser, or a thief's."""
    other = Browser()
    other.cookies.load({name: cookie.value for name, cookie in browser.cookies.items()})
    return other


@pytest.mark.parametrize("counter", [0, 1])
def test_an_answer_sent_six_times_at_once_logs_in_once(alice: User, counter: int) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    visitor = Browser()
    answer = {"credential": replace(key, count=counter).get(challenge(visitor))}
    browsers = [twin(visitor) for _ in range(6)]
    turns = count()

    statuses = at_once(6, lambda: browsers[next(turns)].post(LOG_IN, answer).status_code)

    # 400 where the first request has replaced the session of the browser meanwhile.
    assert set(statuses) <= {302, 400}
    assert [is_logged_in(browser) for browser in browsers].count(True) == 1
    assert UsedChallenge.objects.count() == 2
    # The others answered a used challenge, which is no sign of a copied passkey.
    assert events(alice) == []


def test_of_six_passkeys_added_at_once_as_many_stay_as_the_quota_has_places(alice: User, settings: Settings) -> None:
    settings.QUOTA_PASSKEYS = 2
    browsers = [logged_in(alice) for _ in range(6)]
    answers = [SecurityKey().create(options_on(browser.get(ADD))) for browser in browsers]
    turns = count()

    def add() -> int:
        number = next(turns)
        return browsers[number].post(ADD, {"credential": answers[number]}).status_code

    statuses = at_once(6, add)

    assert sorted(statuses) == [200] * 4 + [302] * 2
    assert Authenticator.objects.filter(user=alice, type="webauthn").count() == 2


def test_an_answer_sent_six_times_at_once_is_one_second_step(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    waiting = give_password()
    answer = {"credential": key.get(options_on(waiting.get(SECOND_STEP)))}
    browsers = [twin(waiting) for _ in range(6)]
    turns = count()

    at_once(6, lambda: browsers[next(turns)].post(SECOND_STEP, answer).status_code)

    assert Session.objects.filter(user=alice).exclude(pk=waiting.cookies[COOKIE].value).count() == 2
    assert [is_logged_in(browser) for browser in browsers].count(True) == 1


def test_of_concurrent_answers_with_one_count_one_is_accepted(alice: User) -> None:
    """A passkey and its copy: each has its own challenge, and both send the same count."""
    key = SecurityKey(count=3)
    add_passkey(alice, key)
    browsers = [Browser() for _ in range(6)]
    answers = [{"credential": replace(key, count=4).get(challenge(browser))} for browser in browsers]
    turns = count()

    def log_in() -> None:
        turn = next(turns)
        browsers[turn].post(LOG_IN, answers[turn])

    at_once(6, log_in)

    assert [is_logged_in(browser) for browser in browsers].count(True) == 1
    assert len(events(alice)) == 5
    assert PasskeyCredential.objects.get().sign_count == 4


def test_of_two_accounts_that_add_one_id_at_once_one_has_it(alice: User, bob: User) -> None:
    id_ = secrets.token_bytes(16)
    browsers = [logged_in(user) for user in (alice, bob, alice, bob)]
    answers = [{"credential": SecurityKey(id=id_).create(options_on(browser.get(ADD)))} for browser in browsers]
    turns = count()

    def add() -> int:
        turn = next(turns)
        return browsers[turn].post(ADD, answers[turn]).status_code

    statuses = at_once(4, add)

    assert sorted(statuses) == [200, 200, 200, 302]
    assert Authenticator.objects.filter(type="webauthn").count() == PasskeyCredential.objects.count() == 1
    # Nothing of the others is left, such as recovery codes.
    assert Authenticator.objects.values("user").distinct().count() == 1


def test_passkeys_added_at_once_are_all_there_with_one_set_of_codes(alice: User) -> None:
    browsers = [logged_in(alice) for _ in range(4)]
    answers = [{"credential": SecurityKey().create(options_on(browser.get(ADD)))} for browser in browsers]
    turns = count()

    def add() -> int:
        turn = next(turns)
        return browsers[turn].post(ADD, answers[turn]).status_code

    assert at_once(4, add) == [302] * 4
    assert PasskeyCredential.objects.count() == 4
    assert Authenticator.objects.filter(type="recovery_codes").count() == 1


def test_two_right_codes_at_once_set_up_one_app(alice: User) -> None:
    browser = logged_in(alice)
    secret = key_on(browser.get(SET_UP))
    browsers = [twin(browser) for _ in range(3)]
    turns = count()

    def set_up() -> int:
        turn = next(turns)
        return browsers[turn].post(SET_UP, {"code": code_of(secret, periods_away=turn - 1)}).status_code

    statuses = at_once(3, set_up)

    # 200 where a period, and so the oldest code, ended meanwhile.
    assert set(statuses) <= {200, 302, 400}
    assert 302 in statuses
    assert sorted(Authenticator.objects.values_list("type", flat=True)) == ["recovery_codes", "totp"]


@pytest.mark.parametrize("kind", ["second step", "reauthentication"])
def test_right_codes_of_all_kinds_at_once_are_no_error(alice: User, kind: str) -> None:
    secret = pyotp.random_base32()
    TOTP.activate(alice, secret)
    recovery = RecoveryCodes.activate(alice).get_unused_codes()
    codes = [code_of(secret), code_of(secret, periods_away=-1), code_of(secret), *recovery[:2], recovery[0]]
    if kind == "second step":
        path, browsers = SECOND_STEP, [give_password()]
    else:
        path, browsers = "/account/reauthenticate/code/", [logged_in(alice)]
        reauthenticate(browsers[0], alice, seconds_ago=TWO_HOURS)
    browsers += [twin(browsers[0]) for _ in codes[1:]]
    turns = count()

    def give() -> int:
        turn = next(turns)
        return browsers[turn].post(path, {"code": codes[turn]}).status_code

    statuses = at_once(6, give)

    assert set(statuses) <= {200, 302, 400, 429}
    assert statuses.count(302) >= 1
    left = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    assert set(recovery) - set(left) <= {recovery[0], recovery[1]}


def test_a_passkey_and_a_password_at_once_are_no_error(alice: User) -> None:
    """Different ways of one person, in one browser."""
    key = SecurityKey()
    add_passkey(alice, key)
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=TWO_HOURS)
    answer = {"credential": key.get(options_on(browser.get(REAUTHENTICATE)))}
    browsers = [twin(browser) for _ in range(2)]
    requests = iter([(REAUTHENTICATE, answer), ("/account/reauthenticate/", {"password": "wrong"})])
    turns = count()

    statuses = at_once(2, lambda: browsers[next(turns)].post(*next(requests)).status_code)

    assert sorted(statuses) == [200, 302]
