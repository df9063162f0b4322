"""System checks of a pooler in front of PostgreSQL: timeouts, and one database at both addresses."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from botpenguin.configuration.poolers import TIMEOUTS
from botpenguin.database import direct

# The number that initdb has given the server, and that of the database on it.
IDENTITY = "SELECT system_identifier, oid FROM pg_control_system(), pg_database WHERE datname = current_database()"


@register(Tags.database)
def check_pooler(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    connection = connections[DEFAULT_DB_ALIAS]
    if DEFAULT_DB_ALIAS not in (databases or []) or connection.vendor != "postgresql":
        return []
    if not settings.DIRECT_DATABASE:
        connection.ensure_connection()
        if direct.is_pooled(connection.connection):
            return [Error(direct.UNKNOWN_POOLER, id="botpenguin.E005")]
        return []
    return [*_timeouts(connection), *_same_database(connection)]


def _timeouts(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    found = _row(connection, "SELECT " + ", ".join(f"current_setting('{name}')" for name in TIMEOUTS))
    wrong = [f"{name} = {value}" for name, value in zip(TIMEOUTS, found, strict=True) if value != TIMEOUTS[name]]
    if wrong:
        yield Error(
            f"Connections through the pooler in DATABASE_URL have other timeouts than this version needs: "
            f"{', '.join(wrong)}. A request could wait for ever.",
            hint="Run `manage.py set_database_timeouts`.",
            id="botpenguin.E006",
        )


def _same_database(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    with direct.connected() as other:
        if _row(connection, IDENTITY) != _row(other, IDENTITY):
            yield Error(
                "DATABASE_URL and DATABASE_DIRECT_URL lead to different databases.",
                hint="The first is the address of a pooler, the second that of PostgreSQL behind it.",
                id="botpenguin.E007",
            )


def _row(connection: BaseDatabaseWrapper, query: str) -> Sequence[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row: Sequence[Any] = cursor.fetchone()
    return row
