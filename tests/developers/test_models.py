"""The database refuses rows that break a rule."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.events import SecurityEvent
from accounts.models import User
from developers.models import ApiToken, RevokedToken
from tests.cast import token_events, token_text

DIGEST = bytes(32)


@contextmanager
def refusal(expected: str) -> Iterator[None]:
    with pytest.raises(IntegrityError, match=expected), transaction.atomic():
        yield


def revoked(user: User, **fields: Any) -> RevokedToken:
    defaults: dict[str, Any] = {
        "digest": DIGEST,
        "key_id": "0badc0de",
        "hint": "3f9a",
        "generation": 1,
        "reason": "owner",
    }
    return RevokedToken.objects.create(user=user, **defaults | fields)


def test_a_second_token_for_one_person_is_refused(alice: User) -> None:
    with refusal("developers_apitoken.(user_id|pkey)"):
        ApiToken.objects.create(user=alice, digest=DIGEST, ciphertext="", key_id="0badc0de", hint="3f9a")


def test_a_digest_of_two_persons_is_refused(alice: User, bob: User) -> None:
    with refusal("developers_apitoken.digest"):
        ApiToken.objects.filter(user=bob).update(digest=ApiToken.objects.get(user=alice).digest)


@pytest.mark.django_db(transaction=True)
def test_a_token_of_nobody_is_refused(alice: User) -> None:
    """SQLite checks references only in connections that enable it."""
    with refusal("(?i)foreign key"):
        ApiToken.objects.filter(user=alice).update(user=alice.pk + 1)


def test_a_token_before_the_first_generation_is_refused(alice: User) -> None:
    with refusal("developers_apitoken_generation_from_one"):
        ApiToken.objects.filter(user=alice).update(generation=0)


@pytest.mark.parametrize("field", [{"last_used_ip": "203.0.113.9"}, {"last_used_client": "curl/8.5.0"}])
def test_a_last_use_without_a_time_is_refused(alice: User, field: dict[str, str]) -> None:
    with refusal("developers_apitoken_last_use_has_a_time"):
        ApiToken.objects.filter(user=alice).update(**field)


def test_a_generation_revoked_twice_is_refused(alice: User) -> None:
    revoked(alice)

    with refusal("developers_revokedtoken.*generation"):
        revoked(alice, digest=bytes([1] * 32))


def test_a_digest_revoked_twice_is_refused(alice: User, bob: User) -> None:
    revoked(alice)

    with refusal("developers_revokedtoken.digest"):
        revoked(bob)


@pytest.mark.parametrize("fields", [{"refused_count": 1}, {"last_refused_at": timezone.now()}])
def test_refusals_without_a_time_or_a_time_without_refusals_are_refused(alice: User, fields: dict[str, Any]) -> None:
    with refusal("developers_revokedtoken_refusals_have_a_time"):
        revoked(alice, **fields)


def test_two_accounts_whose_emails_differ_only_in_case_are_refused(alice: User) -> None:
    with refusal("accounts_user_email_unique_without_case"):
        User.objects.create(email="ALICE@example.com")


def test_a_deleted_account_takes_all_of_its_token_along(alice: User) -> None:
    revoked(alice, generation=7)

    alice.delete()

    assert [model.objects.count() for model in (ApiToken, RevokedToken, SecurityEvent)] == [0, 0, 0]


def test_models_show_a_mask_and_nothing_more(alice: User) -> None:
    token = token_text(alice)
    mask = "bpat_" + "•" * 42 + token[-4:]
    row, event = ApiToken.objects.get(), token_events().get()

    assert [str(row), repr(row)] == [mask, f"<ApiToken: {mask}>"]
    assert str(revoked(alice)) == "bpat_" + "•" * 42 + "3f9a"
    assert str(event) == "API token issued"


@pytest.mark.parametrize(("days", "is_still_in_use"), [(6, True), (8, False)])
def test_a_revoked_token_counts_as_in_use_for_a_week(alice: User, days: int, is_still_in_use: bool) -> None:
    seen_at = timezone.now() - timedelta(days=days)

    assert revoked(alice, refused_count=1, last_refused_at=seen_at).is_still_in_use is is_still_in_use


def test_a_revoked_token_that_nobody_tried_is_not_in_use(alice: User) -> None:
    assert not revoked(alice).is_still_in_use


def test_revoked_tokens_come_last_tried_first_then_latest_first(alice: User) -> None:
    now = timezone.now()
    for generation, seen_at in [(1, None), (2, now - timedelta(days=1)), (3, now), (4, None)]:
        digest = bytes([generation]) * 32
        count = 0 if seen_at is None else 1
        revoked(alice, generation=generation, digest=digest, last_refused_at=seen_at, refused_count=count)

    assert [row.generation for row in alice.revoked_tokens.all()] == [3, 2, 4, 1]
