"""A token is issued, used and revoked; then database, logs, mails and models are searched for it."""

import logging
import pickle
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client as Browser
from post_office.models import Email

from accounts.models import User
from accounts.security_log import Kind
from developers import issuance
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, PHONE, token_events, token_text

pytestmark = pytest.mark.matrix

LONGEST_LEAK = 11


def live(user: User) -> list[str]:
    """Issue, show, copy, use, revoke and use again; return every token."""
    first = token_text(user)
    for kind in (Kind.TOKEN_SHOWN, Kind.TOKEN_COPIED):
        issuance.reveal(user, kind, LAPTOP)
    call_api(first)
    issuance.revoke(user, 1, PHONE, even_if_used=True)
    call_api(first)
    ApiToken.objects.filter(user=user).update(ciphertext="damaged")
    issuance.revoke(user, 2, PHONE, even_if_used=True)
    second = token_text(user)
    call_api(second)
    call_api(second[:-1])
    return [first, second]


def call_api(token: str) -> int:
    return Browser().get("/api/v7/token", headers={"Authorization": f"Bearer {token}"}).status_code


def assert_no_leak(dump: bytes, tokens: list[str]) -> None:
    for token in tokens:
        # The prefix is public; what follows is not.
        secret = token.removeprefix("bpat_").encode()
        windows = {secret[start : start + LONGEST_LEAK + 1] for start in range(len(secret) - LONGEST_LEAK)}
        assert not [window for window in windows if window in dump]


def dump_of_database() -> bytes:
    """Return every value of every row; on SQLite also the files, which may hold deleted rows."""
    values: list[object] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own tables
            values += [value for row in cursor.fetchall() for value in row]
    parts = [bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in values]
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        parts += [Path(name + suffix).read_bytes() for suffix in ("", "-wal")]
    return b"\0".join(parts)


@pytest.mark.django_db(transaction=True)
def test_no_table_of_the_database_holds_a_token(alice: User, bob: User) -> None:
    tokens = [*live(alice), *live(bob)]

    dump = dump_of_database()

    assert b"alice@example.com" in dump
    assert bytes(ApiToken.objects.get(user=alice).digest) in dump
    assert_no_leak(dump, tokens)


def test_no_log_and_no_mail_holds_a_token(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    tokens = live(alice)

    mails = [f"{mail.subject} {mail.message} {mail.html_message} {mail.context}" for mail in Email.objects.all()]
    assert len(mails) == 2
    assert_no_leak(" ".join(mails).encode(), tokens)
    assert_no_leak(caplog.text.encode(), tokens)


def test_no_form_of_a_model_shows_a_token(alice: User) -> None:
    tokens = live(alice)
    rows = [*ApiToken.objects.all(), *RevokedToken.objects.all(), *token_events()]

    shown = [f"{row!r} {row} {vars(row)}".encode() + pickle.dumps(row) for row in rows]

    assert_no_leak(b"".join(shown), tokens)
