"""Databases of release 0.1.0: loaded from a dump, brought up to date, and put in the place of the tests' own."""

import gzip
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import override_settings
from django.utils import timezone

from tests import postgresql

FILES = Path(__file__).parent / "from_0_1_0"
# The keys of the database, and what its people know and have.
KEPT: dict[str, Any] = json.loads((FILES / "kept.json").read_text())
KEYS = {"SECRET_KEY": KEPT["SECRET_KEY"], "TOKEN_KEYS": KEPT["TOKEN_KEYS"]}
# The last migrations of 0.1.0, in apps that have newer ones.
MIGRATIONS = {
    "accounts": "0005_factors_removed",
    "developers": "0006_restored_reason",
    "outbound": "0001_initial",
    "platform": "0001_initial",
}
# Django's tables have rows for new models, and the cache was a table of Django's.
NOT_COMPARED = {"django_migrations", "django_content_type", "auth_permission", "sqlite_sequence", "shared_cache"}
# Only the Message-ID of a mail names an event, and the mail keeps it.
WITHOUT_IDS = {"accounts_securityevent", "developers_tokenevent"}
# The difference between now and a minute after the dump.
LATER = datetime.fromisoformat(KEPT["now"]) + timedelta(minutes=1) - datetime.now().astimezone()

Rows = dict[str, list[str]]


class Clock(datetime):
    """Begins a minute after the dump, whose links and sessions end after days."""

    @classmethod
    def now(cls, tz: Any = None) -> Self:
        return super().now(tz) + LATER


def load(folder: Path) -> str:
    """Make a database of 0.1.0 of the kind that the tests run on, and return its name."""
    if connection.vendor == "postgresql":
        url = postgresql.new_database(_server())
        with psycopg.connect(url) as empty:
            empty.execute(_dump("postgresql").encode())
        return url.rpartition("/")[2]
    path = folder / "0_1_0.sqlite3"
    with closing(sqlite3.connect(path)) as empty:
        # Constraints use it.
        empty.create_function("REGEXP", 2, lambda pattern, text: True)
        empty.executescript(_dump("sqlite"))
    return str(path)


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Have Django use another database, with the keys of 0.1.0, until the block ends."""
    before = connection.settings_dict["NAME"]
    with override_settings(**KEYS):
        try:
            _connect_to(name)
            yield
        finally:
            _connect_to(before)


def copied(name: str, folder: Path) -> str:
    """Copy a database without connections, and return the name of the copy."""
    if connection.vendor == "postgresql":
        close()
        with psycopg.connect(_server(), autocommit=True) as owner:
            # A pooler keeps some, and a template may have none.
            owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        return postgresql.new_database(_server(), name).rpartition("/")[2]
    return str(shutil.copy(name, folder / "copy.sqlite3"))


def close() -> None:
    """Close all connections to the database, in the pool too."""
    connection.close()
    if connection.vendor == "postgresql":
        pooled: Any = connection
        pooled.close_pool()


def migrate() -> None:
    call_command("migrate", verbosity=0)


def migrate_back() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(list(MIGRATIONS.items()))


def all_rows() -> Rows:
    """Return the rows of each table, sorted by their values."""
    tables = set(connection.introspection.table_names()) - NOT_COMPARED
    with connection.cursor() as cursor:
        return {table: sorted(map(repr, _rows(cursor, table))) for table in tables}


def _rows(cursor: Any, table: str) -> Iterator[list[tuple[str, Any]]]:
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - a name of the database's
    names = [column[0] for column in cursor.description]
    for row in cursor.fetchall():
        values = dict(zip(names, map(_plain, row), strict=True))
        if table in WITHOUT_IDS:
            del values["id"]
        yield sorted(values.items())


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("{", "[")):
        # Compared by value: JSON may hold a letter as an escape.
        return json.loads(value)
    return bytes(value) if isinstance(value, memoryview) else value


def _dump(kind: str) -> str:
    return gzip.decompress((FILES / f"{kind}.sql.gz").read_bytes()).decode()


def _connect_to(name: str) -> None:
    close()
    connection.settings_dict["NAME"] = name
    if settings.DIRECT_DATABASE:
        settings.DIRECT_DATABASE["NAME"] = name


def _server() -> str:
    """Return the address of PostgreSQL itself: a dump changes the session that loads it."""
    return os.environ.get("DATABASE_DIRECT_URL") or os.environ["DATABASE_URL"]


def at_the_time_of_0_1_0(patch: pytest.MonkeyPatch) -> None:
    """Have both clocks of Django begin at the time of the dump."""
    now = time.time
    patch.setattr(timezone, "datetime", Clock)
    patch.setattr("django.contrib.auth.tokens.datetime", Clock)
    patch.setattr(time, "time", lambda: now() + LATER.total_seconds())
