"""PostgreSQL itself, where `DATABASE_URL` names a pooler in transaction mode.

A lock of a session would stay behind in a connection of the pooler, and migrations may last longer than its timeouts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# What PgBouncer answers to the timeouts of a connection.
REFUSED = "unsupported startup parameter"
UNKNOWN_POOLER = (
    "DATABASE_URL goes to a pooler, and DATABASE_DIRECT_URL is missing. Set it to the address of PostgreSQL itself: "
    "docs/deployment.md, under 'A pooler'."
)
POOLER_AGAIN = "DATABASE_DIRECT_URL goes to a pooler. It must be the address of PostgreSQL itself."


@contextmanager
def connected() -> Iterator[BaseDatabaseWrapper]:
    """Connect to PostgreSQL itself. Yields `default` if `DATABASE_URL` names no pooler, or if it is direct already."""
    usual, database = connections[DEFAULT_DB_ALIAS], settings.DIRECT_DATABASE
    if not database or usual.settings_dict is database:
        yield usual
        return
    # Here, because the import of the driver takes a tenth of a start.
    from botpenguin.database.postgresql.base import Unpooled  # noqa: PLC0415

    connections.configure_settings({DEFAULT_DB_ALIAS: database})
    direct = Unpooled(database, DEFAULT_DB_ALIAS)
    try:
        yield direct
    finally:
        direct.close()


@contextmanager
def as_default() -> Iterator[None]:
    """Let `default` be connected to PostgreSQL itself during the block, in this thread."""
    usual = connections[DEFAULT_DB_ALIAS]
    with connected() as direct:
        connections[DEFAULT_DB_ALIAS] = direct
        try:
            yield
        finally:
            connections[DEFAULT_DB_ALIAS] = usual


def refuse_pooler(connection: Any) -> None:
    """Raise `ImproperlyConfigured` if a connection of Django that must be to PostgreSQL itself goes to a pooler."""
    problem = POOLER_AGAIN if settings.DIRECT_DATABASE else UNKNOWN_POOLER
    try:
        # Without the pool of this process, which only logs why it cannot connect.
        with connection.Database.connect(**connection.get_connection_params(), autocommit=True) as first:
            if is_pooled(first):
                raise ImproperlyConfigured(problem)
    except connection.Database.OperationalError as error:
        # The next query reports an outage.
        if REFUSED in str(error):
            raise ImproperlyConfigured(problem) from error


def is_pooled(connection: Any) -> bool:
    """Return whether a connection of psycopg goes to a pooler, which gives its clients made-up process ids."""
    [pid] = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(pid != connection.info.backend_pid)
