"""Not waiting for locks: some writes are worth less than the time of the request that makes them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, transaction

PATIENCE_MS = 100
# How a database is asked for the milliseconds that it waits for a lock, and how it is told.
LOCK_TIMEOUT = {
    "sqlite": ("PRAGMA busy_timeout", "PRAGMA busy_timeout = {}"),
    "postgresql": ("SHOW lock_timeout", "SET lock_timeout = '{}'"),
}


@contextmanager
def impatient() -> Iterator[None]:
    """Run a transaction that gives up, by a `django.db.Error`, where a lock does not come free within 100 ms.

    The usual wait is 5 seconds: right for a
    revoke, wrong for a note beside an API call.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    ask, tell = LOCK_TIMEOUT[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(ask)
        usual = cursor.fetchone()[0]
        cursor.execute(tell.format(PATIENCE_MS))
        try:
            with transaction.atomic():
                yield
        finally:
            cursor.execute(tell.format(usual))
