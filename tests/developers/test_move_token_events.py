"""The migration that moves the events of tokens into the security log, with rows, forwards and backwards."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.events import EventCount, SecurityEvent

MIGRATION = import_module("developers.migrations.0009_move_token_events")
BEFORE = [("accounts", "0012_upgraded_hashes"), ("developers", "0008_bind_tokens")]
START = timezone.now() - timedelta(days=2)
# As 0.1.0 wrote them: kind, note, and the time in minutes. A revoke and the issue after it have the same time.
HAPPENED = [
    ("issued", "", 0),
    ("shown", "", 1),
    ("revoked", "password", 2),
    ("issued", "", 2),
    ("copied", "", 4),
    ("revoked", "api", 5),
    ("issued", "", 5),
    ("refused", "", 6),
    ("tried", "", 7),
]


def migrate(targets: list[tuple[str, str]] | None = None) -> Any:
    """Migrate to these migrations, or to the latest, and return the models of that state."""
    executor = MigrationExecutor(connection)
    return executor.migrate(targets or executor.loader.graph.leaf_nodes()).apps


@pytest.fixture
def apps_of_before(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(MIGRATION, "BATCH", 2)
    yield migrate(BEFORE)
    migrate()


@pytest.fixture
def before(apps_of_before: Any) -> list[list[Any]]:
    """Return the rows of a person with log-ins and many events of a token, by table."""
    person = apps_of_before.get_model("accounts", "User").objects.create(email="alice@example.com", password="!")
    tables = tables_of(apps_of_before)
    account, token, counts = (table.objects for table in tables)
    for minutes in (1, 3, 8):
        account.create(user=person, kind="signed-in", means="password", at=START + timedelta(minutes=minutes))
    for number, (kind, note, minutes) in enumerate(HAPPENED):
        about = {"kind": kind, "note": note, "hint": f"hi{number:02}", "generation": number}
        client = {"ip": "2001:db8::7", "client": f"curl/8.{number}"}
        token.create(user=person, at=START + timedelta(minutes=minutes), **about, **client)
    for kind, detail in (("revoked", "password"), ("copied", ""), ("signed-in", "password")):
        counts.create(user=person, kind=kind, detail=detail, hour=START, at=START, count=7)
    return rows(*tables)


def tables_of(apps: Any) -> list[Any]:
    names = [("accounts", "SecurityEvent"), ("developers", "TokenEvent"), ("accounts", "EventCount")]
    return [apps.get_model(*name) for name in names]


def rows(*tables: Any) -> list[list[Any]]:
    """Return the rows of tables in the order of their ids, without the ids."""
    names = [sorted(field.attname for field in table._meta.fields if field.name != "id") for table in tables]
    return [list(table.objects.order_by("pk").values(*of)) for table, of in zip(tables, names, strict=True)]


def interrupted_migration() -> None:
    """Interrupt the migration while the third batch is in both tables."""
    batches = [0]

    def die(execute: Any, sql: str, *rest: Any) -> Any:
        batches[0] += "INSERT INTO accounts_securityevent" in sql
        if batches[0] == 3 and "DELETE FROM developers_tokenevent" in sql:
            raise KeyboardInterrupt
        return execute(sql, *rest)

    with connection.execute_wrapper(die), pytest.raises(KeyboardInterrupt):
        migrate()


# tests/upgrades moves those of a database of 0.1.0, without an interruption.
@pytest.mark.release
def test_events_of_tokens_move_into_the_log_and_back_even_if_interrupted(before: list[list[Any]]) -> None:
    interrupted_migration()
    count = SecurityEvent.objects.count()
    migrate()

    listed = SecurityEvent.objects.order_by("-at", "-pk")
    moved = [event for event in listed if event.generation is not None]
    assert count == 3 + 4
    assert [(event.kind, event.detail, event.hint, event.at, event.ip, event.client) for event in reversed(moved)] == [
        (
            f"token-{kind}",
            note.replace("password", "new-password"),
            f"hi{number:02}",
            START + timedelta(minutes=minutes),
            "2001:db8::7",
            f"curl/8.{number}",
        )
        for number, (kind, note, minutes) in enumerate(HAPPENED)
    ]
    assert [(event.kind, event.detail, event.hint) for event in listed if event not in moved] == [
        ("signed-in", "password", None)
    ] * 3
    assert sorted(EventCount.objects.values_list("kind", "detail", "count")) == [
        ("signed-in", "password", 7),
        ("token-copied", "", 7),
        ("token-revoked", "new-password", 7),
    ]
    assert "developers_tokenevent" not in connection.introspection.table_names()

    assert rows(*tables_of(migrate(BEFORE))) == before
