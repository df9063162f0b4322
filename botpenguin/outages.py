"""A database that is locked too long, out of reach, restarting, full or read-only: no fault of ours, and soon over.

What meets it is answered by 503 and `Retry-After`. Once a request has waited in vain for a
connection, those of the next second are told so at once, lest all threads wait together.
The same goes for a cache in Redis, where limits are counted: without it nobody may try.
"""

import logging
import sqlite3
import sys
import time
from http import HTTPStatus

from django.db import Error, InterfaceError, InternalError, OperationalError

logger = logging.getLogger(__name__)

RETRY_AFTER = 5
SECONDS_OF_NO_TRYING = 1.0
# Of SQLite's result codes; a missing table or column is an OperationalError too, but a fault.
PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
# Of PostgreSQL's: read_only_sql_transaction.
READ_ONLY = "25006"


class Unreachable(OperationalError):
    """Another request has just waited for the database in vain."""


class Breaker:
    def __init__(self) -> None:
        self._no_trying_until = 0.0

    def trip(self) -> None:
        self._no_trying_until = time.monotonic() + SECONDS_OF_NO_TRYING

    def check(self) -> None:
        """Raise `Unreachable` within a second after a request has waited in vain."""
        if self._no_trying_until and time.monotonic() < self._no_trying_until:
            raise Unreachable("The database was out of reach a moment ago.")


breaker = Breaker()


def is_outage(error: BaseException | None) -> bool:
    """Tell whether an exception says that the database cannot serve now, rather than that something is wrong."""
    if not isinstance(error, Error):
        return _is_of_redis(error)
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        # The lower byte is the primary code, whatever the extended one adds.
        return code is not None and code & 0xFF in PASSING
    if isinstance(error, InternalError):
        return getattr(cause, "sqlstate", None) == READ_ONLY
    return isinstance(error, OperationalError | InterfaceError)


def _is_of_redis(error: BaseException | None) -> bool:
    # Loaded only where CACHE_URL names it, since that takes a tenth of a second.
    library = sys.modules.get("redis")
    return library is not None and isinstance(
        error, library.ConnectionError | library.TimeoutError | library.ReadOnlyError | library.OutOfMemoryError
    )


class WithoutOutages(logging.Filter):
    """Leave out what Django tells of an answer 503, with a traceback for each: `note` and /readyz tell of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != HTTPStatus.SERVICE_UNAVAILABLE


def note(error: BaseException, method: str | None, path: str) -> None:
    """Log an outage in one line: a traceback for each request of an outage would bury its cause."""
    # Loaded only where the database is PostgreSQL, since that takes a tenth of a start.
    pool = sys.modules.get("psycopg_pool")
    if pool is not None and isinstance(error.__cause__, pool.PoolTimeout):
        breaker.trip()
    what = "database" if isinstance(error, Error) else "cache"
    logger.error("%s %r was answered 503, since the %s cannot serve: %s", method, path, what, error)
