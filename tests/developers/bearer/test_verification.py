"""The bearer check, called as the API calls it. Tests without the fixture `db` fail on any query."""

import secrets

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts.models import User
from developers import issuance, tokens
from developers.bearer import verification
from developers.bearer.verification import Bearer, RefusalReason, TokenRefused
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, PASSWORD, PHONE, token_text
from tests.developers.bearer.requests import bearing, refusal

# The same in every process, as parallel test runs want it.
WELL_FORMED = "bpat_" + "Ab3" * 13 + "x" + tokens.checksum("bpat_" + "Ab3" * 13 + "x")


def latin_1(raw: bytes) -> str:
    """Decode as WSGI has servers decode headers."""
    return raw.decode("latin-1")


@pytest.mark.parametrize(
    "header",
    ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", "  Bearer {}  ", "\tBearer {}\t", "Bearer {} \t "],
)
def test_a_good_token_is_read_from_its_header(alice: User, header: str) -> None:
    found = verification.check(bearing(header.format(token_text(alice))))

    token = ApiToken.objects.get(user=alice)
    assert found == Bearer(
        owner_id=alice.pk,
        email="alice@example.com",
        is_active=True,
        generation=1,
        hint=token.hint,
        issued_at=token.issued_at,
        last_used_at=None,
    )


@pytest.mark.parametrize("authtype", ["Key", "key", "KEY", "kEy", " Key ", "\tKey"])
def test_authtype_key_is_accepted_in_any_capitalisation(alice: User, authtype: str) -> None:
    assert verification.check(bearing(f"Bearer {token_text(alice)}", authtype=authtype)).owner_id == alice.pk


@pytest.mark.parametrize("authtype", ["", "Token", "Key, Key", "Keys", "\xa0Key"])
def test_any_other_authtype_is_refused_without_a_query(authtype: str) -> None:
    assert refusal(bearing(f"Bearer {WELL_FORMED}", authtype=authtype)) is RefusalReason.WRONG_AUTHTYPE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        WELL_FORMED,
        f"Basic {WELL_FORMED}",
        f"Token {WELL_FORMED}",
        f"Key {WELL_FORMED}",
        f"Bearer:{WELL_FORMED}",
        f"Bearer\t{WELL_FORMED}",
        f"Bearer\xa0{WELL_FORMED}",
        f"\xa0Bearer {WELL_FORMED}",
        f"\u212aey {WELL_FORMED}",
    ],
)
def test_what_is_no_bearer_header_is_refused_as_missing_without_a_query(header: str | None) -> None:
    assert refusal(bearing(header)) is RefusalReason.MISSING


@pytest.mark.parametrize(
    "token",
    [
        "",
        "{}x",
        "{}, Bearer {}",
        "{},{}",
        "{} {}",
        "'{}'",
        "{}\x00",
        "{}\n",
        "\x85{}",
        "{}\xa0",
        "Bearer {}",
        "x" * 1_000_000,
    ],
)
def test_what_is_not_exactly_one_token_is_refused_as_malformed_without_a_query(token: str) -> None:
    assert refusal(bearing("Bearer " + token.replace("{}", WELL_FORMED))) is RefusalReason.MALFORMED


@given(st.binary(max_size=300).map(latin_1))
@example(f"Bearer {WELL_FORMED[:-1]}")
def test_any_bytes_as_the_header_are_refused_without_a_query(header: str) -> None:
    assert refusal(bearing(header)) in (RefusalReason.MISSING, RefusalReason.MALFORMED)


@given(st.binary(max_size=80).map(latin_1))
def test_any_bytes_as_the_token_are_refused_without_a_query(token: str) -> None:
    assert refusal(bearing(f"Bearer {token}")) is RefusalReason.MALFORMED


@given(st.integers(0, tokens.LENGTH - 1), st.binary(min_size=1, max_size=1).map(latin_1))
def test_a_token_with_one_damaged_byte_is_refused_without_a_query(position: int, byte: str) -> None:
    damaged = WELL_FORMED[:position] + byte + WELL_FORMED[position + 1 :]
    header = f"Bearer {damaged}" if damaged != WELL_FORMED else "Bearer"

    assert refusal(bearing(header)) is RefusalReason.MALFORMED


@given(st.binary(max_size=80).map(latin_1).filter(lambda authtype: authtype.strip(" \t").lower() != "key"))
def test_any_bytes_as_the_authtype_are_refused_without_a_query(authtype: str) -> None:
    assert refusal(bearing(f"Bearer {WELL_FORMED}", authtype=authtype)) is RefusalReason.WRONG_AUTHTYPE


@pytest.mark.parametrize("name", ["apiKey", "access_token", "token", "Authorization"])
def test_a_token_in_query_body_or_cookies_is_no_token(alice: User, name: str) -> None:
    token = token_text(alice)
    request = RequestFactory().post(f"/api/v7/token?{name}={token}", {name: f"Bearer {token}"})
    request.COOKIES[name] = token

    assert refusal(request) is RefusalReason.MISSING


def test_an_unknown_token_is_refused_as_such(alice: User) -> None:
    assert refusal(bearing(f"Bearer {WELL_FORMED}")) is RefusalReason.UNKNOWN


def test_a_revoked_token_is_refused_and_says_since_when(alice: User) -> None:
    old = token_text(alice)
    outcome = issuance.revoke(alice, 1, PHONE, even_if_used=False)

    with pytest.raises(TokenRefused) as caught:
        verification.check(bearing(f"Bearer {old}"))

    assert caught.value.refusal is RefusalReason.REVOKED
    assert caught.value.revoked_at == outcome.token.issued_at


def test_after_a_revoke_the_new_token_is_good(alice: User) -> None:
    issuance.revoke(alice, 1, PHONE, even_if_used=False)

    assert verification.check(bearing(f"Bearer {token_text(alice)}")).generation == 2


def test_the_token_of_a_deactivated_account_is_refused_and_not_counted_as_used(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert refusal(bearing(f"Bearer {token_text(alice)}")) is RefusalReason.DISABLED
    assert ApiToken.objects.get(user=alice).last_used_at is None


def test_the_token_of_a_deleted_account_is_unknown(alice: User) -> None:
    token = token_text(alice)

    alice.delete()

    assert refusal(bearing(f"Bearer {token}")) is RefusalReason.UNKNOWN


def test_a_token_whose_account_is_deleted_after_the_check_has_nothing_left_to_revoke(alice: User) -> None:
    found = verification.check(bearing(f"Bearer {token_text(alice)}"))
    alice.delete()

    verification.revoke(found, LAPTOP)

    assert not RevokedToken.objects.exists()


def test_tokens_under_every_key_of_the_ring_are_found_by_one_query(alice: User, settings: Settings) -> None:
    old_keys, old = settings.TOKEN_KEYS, token_text(alice)
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32), *old_keys]
    bob = User.objects.create_user("bob@example.org", PASSWORD)
    issuance.issue(bob, PHONE)
    new = token_text(bob)
    ApiToken.objects.update(last_used_at=timezone.now())

    with CaptureQueriesContext(connection) as queries:
        owners = [verification.check(bearing(f"Bearer {token}")).owner_id for token in (old, new)]

    assert owners == [alice.pk, bob.pk]
    assert len(queries) == 2


def test_a_token_revoked_under_an_older_key_of_the_ring_is_refused_as_revoked(alice: User, settings: Settings) -> None:
    old = token_text(alice)
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32), *settings.TOKEN_KEYS]
    issuance.revoke(alice, 1, PHONE, even_if_used=False)

    assert refusal(bearing(f"Bearer {old}")) is RefusalReason.REVOKED
