"""What a bearer check writes, and what it does while the database takes no writes."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.security_log import Kind
from developers import issuance
from developers.bearer import verification
from developers.bearer.verification import RefusalReason
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, PASSWORD, PHONE, token_events, token_text
from tests.developers.bearer.requests import bearing, failing_on, refusal
from tests.lock_timeouts import LOCK_TIMEOUT

GIVES_UP_WITHIN = timedelta(seconds=30)


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
    """Let this connection wait much longer than usual for a lock, so that a wait differs from a slow machine."""
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
