"""Not waiting for locks: some writes are worth less than the time of the request that makes them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, transaction

PATIENCE_MS = 100


@contextmanager
def impatient() -> Iterator[None]:
    """Run a transaction that gives up, by a `DatabaseError`, where a lock does not come free within 100 ms.

    The ordinary wait is 20 seconds on SQLite and without end on PostgreSQL: right for a
    revoke, wrong for a note beside an API call.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            usual = cursor.fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
            try:
                with transaction.atomic():
                    yield
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {usual}")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE_MS}ms'")
            yield
