"""Commands write in bulk only in the short turns of `bulk_writes`."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.mfa import encryption
from accounts.mfa.factors import ENCRYPTED_IN
from accounts.models import Session, User
from accounts.orm import bulk
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import logged_in

pytestmark = pytest.mark.django_db(transaction=True)

WRITES = ("INSERT", "UPDATE", "DELETE")
# With the most statements that a turn of each has to write.
COMMANDS = {
    "rotate_token_keys": 1,
    "revoke_tokens --all": 20,
    "prune_events --older-than 1": 20,
    "prune_api_logs": 20,
    "housekeeping": 20,
}


@pytest.fixture
def much_to_do(alice: User, bob: User, settings: Settings) -> None:
    """Something for each command: a new key, old events and logs, expired sessions, a deleted account."""
    for kind, name in ENCRYPTED_IN.items():
        Authenticator.objects.create(user=bob, type=kind, data={name: encryption.encrypt("a secret")})
    ago = timezone.now() - timedelta(days=500)
    OutboundApi.objects.make(bob, "Weather", Recipe("GET", "https://example.com/"))
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32), *settings.TOKEN_KEYS]
    logged_in(alice).post("/account/delete/", {"email": alice.email})
    logged_in(bob)
    ApiLog.objects.create(owner=bob, api_name="A", kind="call", sent_at=ago)
    Session.objects.create(session_key="over", session_data="", expire_date=ago)
    with connection.cursor() as cursor:
        cursor.execute('UPDATE accounts_securityevent SET "at" = %s', [ago])


@pytest.mark.usefixtures("much_to_do")
@pytest.mark.parametrize(("command", "most"), COMMANDS.items())
def test_a_command_writes_in_turns(command: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    turns, outside = list[int](), list[str]()
    is_on = False
    take_turn = bulk._bulk_lock

    @contextmanager
    def counted_turn(connection: Any) -> Iterator[None]:
        nonlocal is_on
        with take_turn(connection):
            is_on = True
            turns.append(0)
            yield
            is_on = False

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(WRITES):
            if is_on:
                turns[-1] += 1
            else:
                outside.append(sql)
        return execute(sql, *rest)

    monkeypatch.setattr(bulk, "_bulk_lock", counted_turn)
    with connection.execute_wrapper(watch):
        call_command(*command.split(), stdout=StringIO())

    assert outside == []
    assert 1 <= max(turns) <= most
