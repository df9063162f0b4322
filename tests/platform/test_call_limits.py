"""How often a token may call: exactly as often as documented, with the rest in every response."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from accounts.models import User
from botpenguin.platform.api import call_limits
from botpenguin.platform.api.call_limits import WINDOW, TokenQuota, Windows
from developers import issuance
from tests.cast import PHONE, token_text
from tests.clock import Clock

pytestmark = pytest.mark.matrix

ADDRESS = "/api/v7/token"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(call_limits, "time", clock)
    return clock


def call(token: str) -> Any:
    return Browser().get(ADDRESS, headers={"Authorization": f"Bearer {token}"})


def statuses(token: str, times: int) -> list[int]:
    return [call(token).status_code for _ in range(times)]


def test_as_many_requests_as_the_limit_pass_in_a_minute_and_then_again(
    alice: User, settings: Settings, clock: Clock
) -> None:
    settings.API_RATE_LIMIT = 3
    token = token_text(alice)

    first = statuses(token, 5)
    clock.now += WINDOW
    second = statuses(token, 4)

    assert first == [200, 200, 200, 429, 429]
    assert second == [200, 200, 200, 429]


def test_a_window_is_never_longer_than_a_minute(alice: User, settings: Settings, clock: Clock) -> None:
    settings.API_RATE_LIMIT = 3
    # With a minute added and then taken away it is a little larger.
    clock.now = 8132.0132

    assert call(token_text(alice))["RateLimit"] == '"token";r=2;t=60'


def test_a_call_too_many_learns_when_to_retry(alice: User, settings: Settings, clock: Clock) -> None:
    settings.API_RATE_LIMIT = 1
    token = token_text(alice)
    call(token)
    clock.now += 47.5

    refused = call(token)

    sentence = "Too many requests. Try again in 13 seconds."
    assert refused.status_code == 429
    assert refused.json() == {
        "success": False,
        "message": sentence,
        "data": [sentence],
        "code": 429,
        "error": "rate_limited",
    }
    assert refused["Retry-After"] == "13"
    assert refused["RateLimit"] == '"token";r=0;t=13'
    assert refused["RateLimit-Policy"] == '"token";q=1;w=60'
    assert refused["Cache-Control"] == "no-store"


def test_the_last_second_is_in_the_singular(alice: User, settings: Settings, clock: Clock) -> None:
    settings.API_RATE_LIMIT = 1
    token = token_text(alice)
    call(token)
    clock.now += 59.9

    refused = call(token)

    assert refused.json()["message"] == "Too many requests. Try again in 1 second."


def test_good_responses_say_what_is_left(alice: User, clock: Clock) -> None:
    token = token_text(alice)

    first = call(token)
    clock.now += 20
    second = call(token)

    assert [first["RateLimit"], second["RateLimit"]] == ['"token";r=599;t=60', '"token";r=598;t=40']
    assert [first["RateLimit-Policy"], second["RateLimit-Policy"]] == ['"token";q=600;w=60'] * 2


def test_without_a_limit_nothing_is_counted_and_no_header_is_sent(alice: User, settings: Settings) -> None:
    settings.API_RATE_LIMIT = 0
    token = token_text(alice)

    answers = [call(token) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert not any("RateLimit" in answer or "RateLimit-Policy" in answer for answer in answers)
    assert len(call_limits.windows) == 0


def test_a_revoked_token_is_refused_as_revoked_and_not_as_too_frequent(alice: User, settings: Settings) -> None:
    settings.API_RATE_LIMIT = 1
    token = token_text(alice)
    before = statuses(token, 2)

    issuance.revoke(alice, 1, PHONE, even_if_used=True)

    assert before == [200, 429]
    assert call(token).status_code == 401


def test_the_new_token_does_not_pay_for_what_the_old_one_did(alice: User, settings: Settings) -> None:
    settings.API_RATE_LIMIT = 1
    statuses(token_text(alice), 2)

    issuance.revoke(alice, 1, PHONE, even_if_used=True)

    assert statuses(token_text(alice), 2) == [200, 429]


def test_one_persons_requests_do_not_count_for_another(alice: User, bob: User, settings: Settings) -> None:
    settings.API_RATE_LIMIT = 1

    of_both = [call(token_text(user)).status_code for user in (alice, bob, alice, bob)]

    assert of_both == [200, 200, 429, 429]


def test_an_unauthenticated_request_has_no_quota() -> None:
    answer = Browser().get(ADDRESS)

    assert answer.status_code == 401
    assert "RateLimit" not in answer


def test_many_threads_together_get_the_limit_and_no_more() -> None:
    windows = Windows()

    with ThreadPoolExecutor(16) as threads:
        quotas = list(threads.map(lambda _: windows.take(1, 1, 500), range(2000)))

    assert sorted(quota.remaining for quota in quotas if not quota.is_exceeded) == list(range(500))


def test_a_refusal_does_not_prolong_the_window(clock: Clock) -> None:
    windows = Windows()
    windows.take(1, 1, 1)
    clock.now += WINDOW - 1
    refused = windows.take(1, 1, 1)

    clock.now += 1

    assert refused == TokenQuota(1, -1, 1)
    assert windows.take(1, 1, 1) == TokenQuota(1, 0, 60)


def test_windows_that_have_ended_are_forgotten(clock: Clock) -> None:
    windows = Windows()
    for owner in range(100):
        windows.take(owner, 1, 600)
        clock.now += 0.5

    clock.now += 30
    windows.take(1000, 1, 600)

    assert len(windows) == 60


def test_memory_is_bounded_and_the_oldest_window_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_limits, "MOST_REMEMBERED", 10)
    windows = Windows()

    for owner in range(25):
        windows.take(owner, 1, 600)

    assert len(windows) == 10
    assert windows.take(24, 1, 600).remaining == 598
    assert windows.take(14, 1, 600).remaining == 599


def test_the_clock_is_one_that_nobody_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_limits, "time", time)
    windows = Windows()

    assert windows.take(1, 1, 600) == TokenQuota(600, 599, 60)
