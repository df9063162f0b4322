"""An address that sends many unknown tokens gets no more look-ups for a while; others are not affected."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from developers import issuance, tokens
from developers.bearer import unknown_tokens
from developers.bearer.unknown_tokens import WINDOW, TooManyUnknownTokens, UnknownTokens
from tests.cast import PHONE, token_text
from tests.clock import Clock

FLOOD, ELSEWHERE = "203.0.113.66", "203.0.113.67"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(unknown_tokens, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def limit(settings: Settings) -> None:
    settings.API_REFUSED_LIMIT = 3


def call(token: str, ip: str = FLOOD) -> Any:
    return Browser(REMOTE_ADDR=ip).get("/api/v7/token", headers={"Authorization": f"Bearer {token}"})


def send_unknown(times: int, ip: str = FLOOD) -> list[int]:
    return [call(tokens.generate().open(), ip).status_code for _ in range(times)]


@pytest.mark.django_db
def test_after_as_many_unknown_tokens_as_the_limit_no_more_are_looked_up_for_a_minute(clock: Clock) -> None:
    first = send_unknown(3)
    with CaptureQueriesContext(connection) as queries:
        refused = send_unknown(2)
    clock.now += WINDOW
    second = send_unknown(4)

    assert first == [401] * 3
    assert refused == [429] * 2
    assert len(queries) == 0
    assert second == [401] * 3 + [429]


@pytest.mark.django_db
def test_the_refusal_says_why_and_when_to_come_back(clock: Clock) -> None:
    send_unknown(3)
    clock.now += 18.5

    refused = call(tokens.generate().open())

    sentence = "Too many unknown tokens from this address. Try again in 42 seconds."
    assert refused.status_code == 429
    assert refused.json() == {
        "success": False,
        "message": sentence,
        "data": [sentence],
        "code": 429,
        "error": "too_many_unknown_tokens",
    }
    assert refused["Retry-After"] == "42"
    assert refused["Cache-Control"] == "no-store"


def test_a_token_used_before_is_good_beside_a_flood_from_its_address(alice: User) -> None:
    used = token_text(alice)
    call(used)

    statuses = send_unknown(5)

    assert statuses == [401] * 3 + [429] * 2
    assert call(used).status_code == 200


def test_a_token_new_to_the_process_waits_for_the_next_minute(alice: User, clock: Clock) -> None:
    send_unknown(3)
    first = call(token_text(alice))

    clock.now += int(first["Retry-After"])
    second = call(token_text(alice))

    assert (first.status_code, second.status_code) == (429, 200)


def test_another_address_does_not_pay_for_it(alice: User) -> None:
    send_unknown(3)

    assert call(token_text(alice), ELSEWHERE).status_code == 200
    assert send_unknown(1, ELSEWHERE) == [401]


@pytest.mark.django_db
def test_an_ipv6_network_counts_as_one_address() -> None:
    neighbours = [send_unknown(1, f"2001:db8:0:1::{number}")[0] for number in range(1, 5)]

    assert neighbours == [401] * 3 + [429]
    assert send_unknown(1, "2001:db8:0:2::1") == [401]


@pytest.mark.django_db
def test_malformed_and_missing_tokens_get_their_own_answer_even_beside_a_flood() -> None:
    send_unknown(3)

    malformed = [call("bpat_nonsense").status_code for _ in range(5)]
    missing = Browser(REMOTE_ADDR=FLOOD).get("/api/v7/token")

    assert malformed == [401] * 5
    assert missing.status_code == 401


def test_a_revoked_token_does_not_count_and_is_answered_as_revoked_however_often_it_comes(alice: User) -> None:
    old = token_text(alice)
    issuance.revoke(alice, 1, PHONE, even_if_used=True)

    statuses = [call(old).status_code for _ in range(6)]

    assert statuses == [401] * 6
    assert call(token_text(alice)).status_code == 200


def test_a_remembered_token_is_still_looked_up(alice: User) -> None:
    old = token_text(alice)
    call(old)
    send_unknown(3)

    issuance.revoke(alice, 1, PHONE, even_if_used=True)

    assert call(old).status_code == 401
    # No longer remembered as good, it is not looked up at all.
    assert call(old).status_code == 429


@pytest.mark.django_db
def test_without_a_limit_nobody_is_shut_out(settings: Settings) -> None:
    settings.API_REFUSED_LIMIT = 0

    assert send_unknown(6) == [401] * 6


@pytest.mark.django_db
def test_where_no_address_is_known_nobody_pays_for_others() -> None:
    assert send_unknown(6, "") == [401] * 6


def test_threads_lose_no_unknown_token() -> None:
    counted = UnknownTokens()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(counted.add, [FLOOD] * 2000))

    counted.check(FLOOD, b"", 2001)
    with pytest.raises(TooManyUnknownTokens):
        counted.check(FLOOD, b"", 2000)


def test_memory_of_addresses_is_bounded_by_starting_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown_tokens, "MOST_ADDRESSES", 10)
    counted = UnknownTokens()

    for number in range(25):
        counted.add(f"203.0.113.{number}")

    assert len(counted._counts) == 5


def test_memory_of_good_tokens_is_bounded_by_forgetting_the_one_noted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown_tokens, "MOST_TOKENS", 2)
    counted = UnknownTokens()
    counted.add(FLOOD)

    for digest in (b"1", b"2", b"2", b"3"):
        counted.remember_good(digest)

    with pytest.raises(TooManyUnknownTokens):
        counted.check(FLOOD, b"1", 1)
    counted.check(FLOOD, b"2", 1)
    counted.check(FLOOD, b"3", 1)
