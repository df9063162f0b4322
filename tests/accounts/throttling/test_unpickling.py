"""Write access to the database or the cache runs no code: no request unpickles anything."""

import _pickle
import base64
import json
import pickle
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import call_command
from django.db import DataError, IntegrityError, ProgrammingError, connection, transaction
from django.test import Client as Browser
from redis import Redis

from accounts.models import User
from accounts.throttling.models import CachedValue, Counter
from tests.accounts.throttling.test_counters import TouchFile
from tests.accounts.throttling.visitors import code_of
from tests.cast import PASSWORD, logged_in

pytestmark = [pytest.mark.no_cover, pytest.mark.matrix, pytest.mark.django_db]

# The tables of counts and cached values.
TABLES = re.compile("cache|counter")


def visit(alice: User, secret: str) -> list[int]:
    """Make every request that is counted or cached, and return the statuses."""
    visitor, owner = Browser(REMOTE_ADDR="198.51.100.7"), logged_in(alice)
    browser = Browser()
    answers = [
        visitor.post("/account/login/", {"login": alice.email, "password": "guessed wrong"}),
        visitor.post("/account/signup/", {"email": "new@example.com", "password1": PASSWORD}),
        visitor.post("/account/password/reset/", {"email": alice.email}),
        visitor.get("/account/login/passkey/"),
        visitor.post("/account/login/passkey/", {"credential": "{}"}),
        visitor.post("/api/v7/token/report-exposed", {"tokens": ["x"]}, content_type="application/json"),
        browser.post("/account/login/", {"login": alice.email, "password": PASSWORD}),
        browser.post("/account/login/second-step/", {"code": "000000"}),
        browser.post("/account/login/second-step/", {"code": code_of(secret)}),
        browser.get("/account/"),
        owner.get("/developers/api-access-token/"),
        owner.post("/account/email/", {"email": "another@example.com", "action_add": ""}),
        owner.post("/account/reauthenticate/", {"password": "guessed wrong"}),
        owner.get("/account/security/"),
    ]
    call_command("mail_worker", "--once")
    return [answer.status_code for answer in answers]


@pytest.fixture
def secret(alice: User) -> str:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    return secret


@pytest.mark.usefixtures("store")
def test_nothing_that_is_counted_or_cached_is_unpickled(
    alice: User, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any, **more: Any) -> None:
        # Not an exception that the code under test may catch.
        pytest.fail("Something was unpickled.")

    for module in (pickle, _pickle):
        for name in ("load", "loads", "Unpickler"):
            monkeypatch.setattr(module, name, refuse)

    first, second = visit(alice, secret), visit(alice, secret)

    assert {*first, *second} <= {200, 302, 400, 429}


def payloads(path: Path) -> list[str | bytes]:
    """A pickle that runs code, in the formats of Django's caches and others."""
    pickled = pickle.dumps(TouchFile(path), 0)
    return [base64.b64encode(pickled).decode(), pickled.decode(), pickled, pickle.dumps(TouchFile(path))]


def put_into_database(payload: str | bytes) -> None:
    """Write it into all columns of these tables that accept it, except keys, and into the data of sessions."""
    places = [("accounts_session", "session_data")]
    for table in filter(TABLES.search, connection.introspection.table_names()):
        with connection.cursor() as cursor:
            columns = {column.name for column in connection.introspection.get_table_description(cursor, table)}
            keys = connection.introspection.get_primary_key_columns(cursor, table) or []
        places += [(table, column) for column in columns.difference(keys)]
    for table, column in places:
        # The types of PostgreSQL and constraints refuse some payloads.
        with suppress(DataError, IntegrityError, ProgrammingError), transaction.atomic():
            connection.cursor().execute(f'UPDATE {table} SET "{column}" = %s', [payload])  # noqa: S608


# Django's cache in the database holds the first format, its cache in Redis the last.
@pytest.mark.parametrize("number", [0, *(pytest.param(number, marks=pytest.mark.release) for number in (1, 2, 3))])
def test_a_pickle_in_a_row_is_not_run_and_breaks_nothing(alice: User, secret: str, tmp_path: Path, number: int) -> None:
    visit(alice, secret)
    session = logged_in(alice)

    put_into_database(payloads(tmp_path / "run")[number])
    after, page = visit(alice, secret), session.get("/account/")

    assert list(tmp_path.iterdir()) == []
    assert {*after, page.status_code} <= {200, 302, 400, 429}


@pytest.mark.parametrize("number", [3, *(pytest.param(number, marks=pytest.mark.release) for number in (0, 1, 2))])
def test_a_pickle_in_redis_is_not_run_and_breaks_nothing(
    alice: User, secret: str, tmp_path: Path, in_redis_server: Redis, number: int
) -> None:
    visit(alice, secret)
    names = in_redis_server.keys()
    assert names

    for name in names:
        in_redis_server.set(name, payloads(tmp_path / "run")[number], keepttl=True)
    after = visit(alice, secret)

    assert list(tmp_path.iterdir()) == []
    assert set(after) <= {200, 302, 400, 429}


@pytest.mark.usefixtures("store")
def test_neither_the_names_nor_the_values_of_what_is_cached_hold_a_code_or_an_address(
    alice: User, secret: str, request: pytest.FixtureRequest, store: str
) -> None:
    code = code_of(secret)

    visit(alice, secret)

    if store == "redis":
        client = request.getfixturevalue("in_redis_server")
        kept = b"".join(name + client.get(name) for name in client.scan_iter()).decode()
    else:
        kept = "".join(f"{row.key}{row.value}" for row in CachedValue.objects.all())
        kept += "".join(Counter.objects.values_list("name", flat=True))
    assert "allauth:" in kept
    assert [text for text in (code, alice.email, "198.51.100.7", "127.0.0.1") if text in kept] == []


def test_redis_holds_integers_and_json(alice: User, secret: str, in_redis_server: Redis) -> None:
    visit(alice, secret)

    values = [json.loads(in_redis_server.get(name) or "") for name in in_redis_server.scan_iter()]

    assert {type(value) for value in values} <= {int, bool, str}
    assert values.count(1) >= 5
