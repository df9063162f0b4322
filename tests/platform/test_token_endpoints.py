"""A token revokes itself; anybody reports tokens that they found. No response reveals more than it must."""

import json
import logging
from typing import Any

import pytest
from django.test import Client as Browser
from post_office.models import Email
from pytest_django import Settings

from accounts.models import User
from developers import issuance, tokens
from developers.models import ApiToken, RevokedToken
from tests.cast import PHONE, token_events, token_text

pytestmark = pytest.mark.matrix

REVOKE = "/api/v7/token/revoke"
REPORT = "/api/v7/token/report-exposed"
THANKS = "Thank you. What is a live token among these is revoked now, and its owner is notified."
KILOBYTES_16 = 16 * 1024


def call(token: str, path: str = "/api/v7/token", method: str = "get") -> Any:
    return getattr(Browser(), method)(path, headers={"Authorization": f"Bearer {token}"})


def report(*texts: str, ip: str = "198.51.100.4") -> Any:
    return Browser().post(REPORT, {"tokens": texts}, "application/json", REMOTE_ADDR=ip)


def post(body: bytes, **extra: Any) -> Any:
    return Browser().post(REPORT, body, "application/json", **extra)


def test_a_token_revokes_itself_and_the_new_one_is_not_in_the_answer(alice: User) -> None:
    token = token_text(alice)

    answer = call(token, REVOKE, "post")

    assert (answer.status_code, answer.content) == (204, b"")
    assert token_text(alice)[-10:] not in str(answer.headers)
    assert call(token).status_code == 401
    assert call(token_text(alice)).status_code == 200


def test_a_revoke_by_the_api_is_recorded_and_mailed(alice: User) -> None:
    call(token_text(alice), REVOKE, "post")

    assert RevokedToken.objects.get().reason == "api"
    assert token_events().get(kind="token-revoked").detail == "api"
    assert Email.objects.get().to == ["alice@example.com"]


def test_a_token_that_has_revoked_itself_cannot_do_so_again(alice: User) -> None:
    token = token_text(alice)
    call(token, REVOKE, "post")

    again = call(token, REVOKE, "post")

    assert again.status_code == 401
    assert ApiToken.objects.get().generation == 2


def test_a_used_up_quota_holds_no_revoke_up(alice: User, settings: Settings) -> None:
    """Frequent calls with a leaked token must not keep its owner from revoking it."""
    settings.API_RATE_LIMIT = 1
    token = token_text(alice)
    before = [call(token).status_code for _ in range(2)]

    answer = call(token, REVOKE, "post")

    assert before == [200, 429]
    assert answer.status_code == 204


@pytest.mark.parametrize("path", [REVOKE, REPORT])
def test_nothing_is_revoked_by_a_get(alice: User, path: str) -> None:
    answer = call(token_text(alice), path)

    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert ApiToken.objects.get().generation == 1


def test_live_unknown_revoked_and_malformed_ones_are_answered_alike(alice: User, bob: User) -> None:
    revoked = token_text(bob)
    issuance.revoke(bob, 1, PHONE, even_if_used=True)
    live = token_text(alice)

    answers = [report(text) for text in (live, revoked, tokens.generate().open(), "no token", "\ud800")]

    for answer in answers:
        del answer["X-Request-ID"]
    expected = {"success": True, "message": THANKS, "data": {"received": 1}, "code": 200}
    assert [(answer.status_code, answer.json(), dict(answer.headers)) for answer in answers] == [
        (200, expected, dict(answers[0].headers))
    ] * 5
    assert call(live).status_code == 401


def test_a_report_of_a_hundred_revokes_the_live_ones(alice: User, bob: User) -> None:
    texts = [token_text(alice), *(["no token"] * 98), token_text(bob)]

    answer = report(*texts)

    assert (answer.status_code, answer.json()["data"]) == (200, {"received": 100})
    assert set(RevokedToken.objects.values_list("user", "reason")) == {(alice.pk, "exposed"), (bob.pk, "exposed")}
    assert {mail.to[0] for mail in Email.objects.all()} == {"alice@example.com", "bob@example.org"}


def test_the_reporters_address_is_recorded(alice: User) -> None:
    report(token_text(alice), ip="2001:db8::9")

    assert token_events().get(kind="token-revoked").ip == "2001:db8::9"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"\xff", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"tokens": "bpat_"}', 422),
        (b'{"tokens": []}', 422),
        (b'{"tokens": [1]}', 422),
        (b'{"tokens": [null]}', 422),
        (json.dumps({"tokens": ["x"] * 101}).encode(), 422),
    ],
)
def test_a_report_that_is_none_says_what_is_wrong(db: None, body: bytes, status: int) -> None:
    answer = post(body)

    assert answer.status_code == status
    assert answer.json()["success"] is False
    assert all(answer.json()["data"])


@pytest.mark.parametrize("size", [KILOBYTES_16 + 1, 1024 * 1024])
def test_a_larger_body_is_refused_before_it_is_parsed(alice: User, size: int) -> None:
    body = json.dumps({"tokens": [token_text(alice)]}).encode().ljust(size)

    answer = post(body)

    sentence = "The request body is too large. Send less at once."
    assert answer.status_code == 413
    assert answer.json() == {
        "success": False,
        "message": sentence,
        "data": [sentence],
        "code": 413,
        "error": "body_too_large",
    }
    assert ApiToken.objects.get().generation == 1


def test_a_body_of_16_kilobytes_is_taken(alice: User) -> None:
    body = json.dumps({"tokens": [token_text(alice)]}).encode().ljust(KILOBYTES_16)

    answer = post(body)

    assert answer.status_code == 200
    assert ApiToken.objects.get().generation == 2


@pytest.mark.parametrize(("announced", "status"), [("100", 400), ("", 422)])
def test_of_a_body_no_more_is_read_than_is_announced(alice: User, announced: str, status: int) -> None:
    body = json.dumps({"padding": "x" * KILOBYTES_16, "tokens": [token_text(alice)]}).encode()

    answer = post(body, CONTENT_LENGTH=announced)

    assert answer.status_code == status
    assert ApiToken.objects.get().generation == 1


def test_the_eleventh_report_of_an_address_within_a_minute_is_refused(alice: User) -> None:
    answers = [report("no token") for _ in range(11)]

    sentence = "Too many requests. Try again in 60 seconds."
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[-1].json() == {
        "success": False,
        "message": sentence,
        "data": [sentence],
        "code": 429,
        "error": "rate_limited",
    }
    assert answers[-1]["Retry-After"] == "60"
    assert report(token_text(alice)).status_code == 429
    assert ApiToken.objects.get().generation == 1


def test_a_report_that_is_none_counts_too(db: None) -> None:
    answers = [post(b"{") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [400] * 10 + [429]


@pytest.mark.parametrize(
    ("neighbour", "other"), [("198.51.100.4", "198.51.100.5"), ("2001:db8:1:2:ffff::1", "2001:db8:1:3::1")]
)
def test_an_ipv6_network_of_64_bits_counts_as_one_address(db: None, neighbour: str, other: str) -> None:
    first = "2001:db8:1:2::1" if ":" in neighbour else neighbour
    for _ in range(10):
        report("no token", ip=first)

    assert report("no token", ip=neighbour).status_code == 429
    assert report("no token", ip=other).status_code == 200


def test_no_reported_token_is_logged(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    live, unknown = token_text(alice), tokens.generate().open()

    with caplog.at_level(logging.DEBUG):
        report(live, unknown)
        post(json.dumps({"tokens": live}).encode())
        post(json.dumps({"tokens": [live, 1]}).encode())

    assert not [secret for secret in (live, unknown) if secret[5:17] in caplog.text]


def test_no_reported_token_is_in_the_answer(alice: User) -> None:
    live = token_text(alice)

    answers = [report(live), post(json.dumps({"tokens": live}).encode()), post(json.dumps([live]).encode())]

    assert not [answer for answer in answers if live[5:17] in answer.content.decode()]
