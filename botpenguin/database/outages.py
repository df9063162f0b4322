"""Outages of the database or the cache: locked too long, unreachable, restarting, full or read-only.

Such requests are answered 503 with `Retry-After`. After one request has waited in vain for a connection
to the database, those of the next second are refused at once, so that not all threads wait together.
`accounts.throttling.redis` does the same for the cache. Without the cache no limit can be counted, so
limited requests are refused.

If a commit was given up because no standby confirmed it, requests that would write are refused at once until one is
confirmed: each commit that is given up keeps a connection of the server busy. Reads go on.
"""

import logging
import sqlite3
import sys
from http import HTTPStatus

from django.db import Error, InterfaceError, InternalError, OperationalError

from accounts.orm.confirmations import NotConfirmed, confirmations
from accounts.throttling import breaker as cache_breaker
from accounts.throttling.breaker import Breaker, OutOfReach

logger = logging.getLogger(__name__)

RETRY_AFTER = 5
# Result codes of SQLite. A missing table or column is an OperationalError too, but no outage.
PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
# What redis-py writes before the refusal of a command in a transaction.
IN_A_TRANSACTION = " of pipeline caused error: "
# PostgreSQL: read_only_sql_transaction.
READ_ONLY = "25006"
READING = {"GET", "HEAD", "OPTIONS"}

breaker = Breaker()


def check(method: str | None) -> None:
    """Raise `OutOfReach` if a request with this method would wait in vain."""
    breaker.check()
    if confirmations.is_in_doubt and method not in READING:
        raise OutOfReach("The database does not confirm writes at the moment.")


def may_have_changed(error: BaseException, method: str | None) -> bool:
    """Return whether what a request wrote, or shows as written by others, is not confirmed."""
    return isinstance(error, NotConfirmed) and (error.is_of_others or method not in READING)


def is_outage(error: BaseException | None) -> bool:
    """Return whether an exception means an outage, rather than a bug."""
    if isinstance(error, OutOfReach):
        return True
    if not isinstance(error, Error):
        return _is_of_redis(error)
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        # The lower byte is the primary result code.
        return code is not None and code & 0xFF in PASSING
    if isinstance(error, InternalError):
        return getattr(cause, "sqlstate", None) == READ_ONLY
    return isinstance(error, OperationalError | InterfaceError)


def _is_of_redis(error: BaseException | None) -> bool:
    # Imported only if CACHE_URL names Redis: the import takes a tenth of a second.
    library = sys.modules.get("redis")
    if library is None or not isinstance(error, library.RedisError):
        return False
    # Includes refusals (MISCONF, NOPERM, too many clients). A value that the client cannot send is a bug.
    return not isinstance(error, library.DataError)


class WithoutOutages(logging.Filter):
    """Drops Django's records of 503 responses, which have tracebacks. `log_outage` and /readyz log outages."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != HTTPStatus.SERVICE_UNAVAILABLE


def log_outage(error: BaseException, method: str | None, path: str) -> None:
    """Log a 503 response in one line: a traceback for each request would hide the cause.

    For the cache one line an outage: all limited requests need it.
    """
    if isinstance(error, OutOfReach):
        return  # the request that waited in vain has logged why
    # Imported only on PostgreSQL: the import takes a tenth of a start.
    pool = sys.modules.get("psycopg_pool")
    if pool is not None and isinstance(error.__cause__, pool.PoolTimeout):
        breaker.trip()
    if isinstance(error, Error) or begins(error):
        logger.error("%s %r was answered 503, since the %s cannot serve: %s", method, path, service_of(error), error)


def log_failed_round(what: str, error: BaseException) -> None:
    """Log that background work waits: an outage in one line, however many rounds it lasts, and a bug each time."""
    if not is_outage(error):
        logger.error("%s: this round failed.", what, exc_info=error)
    elif not isinstance(error, OutOfReach) and begins(error):
        logger.error("%s, since the %s cannot serve: %s", what, service_of(error), str(error).strip())


def service_of(error: BaseException) -> str:
    return "database" if isinstance(error, Error) else "cache"


def begins(error: BaseException) -> bool:
    """Return whether an error begins an outage: there was none of its kind in the last seconds."""
    return cache_breaker.cache.is_new(_kind(error))


def _kind(error: BaseException) -> str:
    """Return the class of an error, and the first word of a refusal of Redis, such as MISCONF."""
    library = sys.modules.get("redis")
    is_refusal = library is not None and isinstance(error, library.ResponseError)
    refusal = str(error).rpartition(IN_A_TRANSACTION)[2].partition(" ")[0] if is_refusal else ""
    return f"{type(error).__name__} {refusal}"
