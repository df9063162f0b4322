"""A database or a cache that cannot serve: locked too long, out of reach, restarting, full or read-only.

What meets it is answered 503 with `Retry-After`: it is no fault of ours, and soon over. Once a request
has waited in vain for a connection to the database, those of the next second are refused at once, lest
all threads wait together; for the cache in Redis see `accounts.throttling.redis`. Without the cache no
limit is counted, so nobody may try.
"""

import logging
import sqlite3
import sys
from http import HTTPStatus

from django.db import Error, InterfaceError, InternalError, OperationalError

from accounts.throttling import breaker as cache_breaker
from accounts.throttling.breaker import Breaker, OutOfReach

logger = logging.getLogger(__name__)

RETRY_AFTER = 5
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


breaker = Breaker()


def is_outage(error: BaseException | None) -> bool:
    """Tell whether an exception says that the database cannot serve now, rather than that something is wrong."""
    if isinstance(error, OutOfReach):
        return True
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
    if library is None or not isinstance(error, library.RedisError):
        return False
    # What Redis refuses (MISCONF, NOPERM, too many clients) as well as what it does not answer. A value that the
    # client cannot send is our own fault.
    return not isinstance(error, library.DataError)


class WithoutOutages(logging.Filter):
    """Leave out what Django tells of an answer 503, with a traceback for each: `note` and /readyz tell of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != HTTPStatus.SERVICE_UNAVAILABLE


def note(error: BaseException, method: str | None, path: str) -> None:
    """Log in one line what was answered 503: a traceback for each request would bury the cause.

    Of the cache one line an outage: all that limits count meets it.
    """
    if isinstance(error, OutOfReach):
        return  # whoever waits in vain logs why
    # Loaded only where the database is PostgreSQL, since that takes a tenth of a start.
    pool = sys.modules.get("psycopg_pool")
    if pool is not None and isinstance(error.__cause__, pool.PoolTimeout):
        breaker.trip()
    is_of_database = isinstance(error, Error)
    if is_of_database or cache_breaker.cache.is_new(_kind(error)):
        what = "database" if is_of_database else "cache"
        logger.error("%s %r was answered 503, since the %s cannot serve: %s", method, path, what, error)


def _kind(error: BaseException) -> str:
    """Name an error of Redis by its class, and what it refuses by the first word too, such as MISCONF."""
    is_refusal = isinstance(error, sys.modules["redis"].ResponseError)
    return f"{type(error).__name__} {str(error).partition(' ')[0] if is_refusal else ''}"
