"""The bearer check, called as the API calls it. Tests without the fixture `db` fail on any query."""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.orm.best_effort import LOCK_TIMEOUT
from accounts.security_log import Kind
from developers import issuance, tokens
from developers.bearer import verification
from developers.bearer.verification import Bearer, RefusalReason, TokenRefused
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, PASSWORD, PHONE, token_events, token_text

# The same in every process, as parallel test runs want it.
WELL_FORMED = "bpat_" + "Ab3" * 13 + "x" + tokens.checksum("bpat_" + "Ab3" * 13 + "x")
GIVES_UP_WITHIN = timedelta(seconds=30)


def bearing(authorization: str | None, **headers: str) -> HttpRequest:
    if authorization is not None:
        headers["authorization"] = authorization
    return RequestFactory().get("/api/v7/token", headers=headers)


def refusal(request: HttpRequest) -> RefusalReason:
    with pytest.raises(TokenRefused) as caught:
        verification.check(request)
    return caught.value.refusal


def latin_1(raw: bytes) -> str:
    """Decode as WSGI has servers decode headers."""
    return raw.decode("latin-1")


def failing_on(verb: str) -> Callable[..., Any]:
    """Make the database refuse statements of one kind, as a locked or read-only one does."""

    def execute(run: Callable[..., Any], sql: str, *args: Any) -> Any:
        if sql.startswith(verb):
            raise OperationalError("attempt to write a readonly database")
        return run(sql, *args)

    return execute


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


def test_the_first_use_is_recorded(alice: User) -> None:
    request = bearing(f"Bearer {token_text(alice)}", user_agent=LAPTOP.user_agent)
    request.META["REMOTE_ADDR"] = LAPTOP.ip

    verification.check(request)

    token = ApiToken.objects.get(user=alice)
    assert token.last_used_at is not None
    assert timezone.now() - token.last_used_at < timedelta(minutes=1)
    assert (token.last_used_ip, token.last_used_client) == (LAPTOP.ip, LAPTOP.user_agent)


def test_the_steady_state_is_one_select(alice: User) -> None:
    request = bearing(f"Bearer {token_text(alice)}")
    verification.check(request)

    with CaptureQueriesContext(connection) as queries:
        found = verification.check(request)

    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]
    assert found.last_used_at == ApiToken.objects.get(user=alice).last_used_at


@pytest.mark.parametrize(("seconds", "moves"), [(30, False), (61, True)])
def test_the_last_use_moves_once_it_is_over_a_minute_old(alice: User, seconds: int, moves: bool) -> None:
    before = timezone.now() - timedelta(seconds=seconds)
    ApiToken.objects.update(last_used_at=before, last_used_client="before")

    verification.check(bearing(f"Bearer {token_text(alice)}", user_agent="after"))

    token = ApiToken.objects.get(user=alice)
    assert (token.last_used_at != before, token.last_used_client) == (moves, "after" if moves else "before")


def test_a_good_token_is_good_where_the_database_takes_no_writes(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    request = bearing(f"Bearer {token_text(alice)}")

    with connection.execute_wrapper(failing_on("UPDATE")):
        found = verification.check(request)

    assert found.owner_id == alice.pk
    assert caplog.messages == [
        f"The last use of the token of user {alice.pk} was not recorded: attempt to write a readonly database"
    ]
    assert ApiToken.objects.get(user=alice).last_used_at is None


def test_a_revoked_token_is_refused_as_such_where_the_database_takes_no_writes(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    old = token_text(alice)
    issuance.revoke(alice, 1, PHONE, even_if_used=False)
    revoked = RevokedToken.objects.get()
    caplog.clear()

    with connection.execute_wrapper(failing_on("UPDATE")):
        refused = refusal(bearing(f"Bearer {old}"))

    assert refused is RefusalReason.REVOKED
    assert caplog.messages == [
        f"A refusal of the revoked token {revoked.pk} was not recorded: attempt to write a readonly database"
    ]


@pytest.fixture
def two_minutes_for_a_lock(transactional_db: None) -> Iterator[None]:
    """Have this connection wait far longer than usual, so that whoever does wait is told from who is slow."""
    read_timeout, set_timeout = LOCK_TIMEOUT[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(read_timeout)
        usual = cursor.fetchone()[0]
        cursor.execute(set_timeout.format(120_000))
        yield
        cursor.execute(set_timeout.format(usual))


@pytest.mark.usefixtures("two_minutes_for_a_lock")
def test_a_good_token_does_not_wait_for_a_lock(caplog: pytest.LogCaptureFixture) -> None:
    alice = User.objects.create_user("alice@example.com", PASSWORD)
    issuance.issue(alice, LAPTOP)
    request = bearing(f"Bearer {token_text(alice)}")
    is_locked, is_answered = Event(), Event()

    def hold_the_row() -> None:
        try:
            with transaction.atomic():
                ApiToken.objects.update(hint="lock")
                is_locked.set()
                is_answered.wait()
                transaction.set_rollback(True)
        finally:
            connection.close()

    holder = Thread(target=hold_the_row)
    holder.start()
    is_locked.wait()
    began_at = timezone.now()
    try:
        found = verification.check(request)
    finally:
        is_answered.set()
        holder.join()

    assert found.owner_id == alice.pk
    assert timezone.now() - began_at < GIVES_UP_WITHIN
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"The last use of the token of user {alice.pk} was not recorded: ")


@pytest.mark.django_db(transaction=True)
def test_giving_up_on_a_lock_leaves_the_usual_patience(settings: Settings) -> None:
    alice = User.objects.create_user("alice@example.com", PASSWORD)
    issuance.issue(alice, LAPTOP)
    question = "PRAGMA busy_timeout" if connection.vendor == "sqlite" else "SHOW lock_timeout"

    def patience() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0]

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A test that broke every statement may have broken the one that restores it.
            cursor.execute("RESET lock_timeout")
    before = patience()
    with connection.execute_wrapper(failing_on("UPDATE")):
        verification.check(bearing(f"Bearer {token_text(alice)}"))

    assert patience() == before
    assert before in (5_000, "5s")


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


def test_a_refusal_is_counted_and_the_owner_reads_of_it(alice: User) -> None:
    old = token_text(alice)
    issuance.revoke(alice, 1, PHONE, even_if_used=False)
    request = bearing(f"Bearer {old}", user_agent="forgotten-script/1.0")
    request.META["REMOTE_ADDR"] = "198.51.100.4"

    refusal(request)

    revoked = RevokedToken.objects.get()
    assert (revoked.refused_count, revoked.last_refused_ip) == (1, "198.51.100.4")
    assert revoked.last_refused_client == "forgotten-script/1.0"
    event = token_events().get(kind=Kind.TOKEN_REFUSED)
    assert (event.user, event.generation, event.ip, event.client) == (
        alice,
        1,
        "198.51.100.4",
        "forgotten-script/1.0",
    )


def test_refusals_within_a_minute_cost_two_selects_and_no_write(alice: User) -> None:
    old = token_text(alice)
    issuance.revoke(alice, 1, PHONE, even_if_used=False)
    refusal(bearing(f"Bearer {old}"))

    with CaptureQueriesContext(connection) as queries:
        refusal(bearing(f"Bearer {old}"))

    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "SELECT"]
    assert RevokedToken.objects.get().refused_count == 1
