"""The id of a request, `X-Request-ID`: in its response, and in all of its log lines.

A client may send one, to find its calls again, and a proxy should set one. It grants nothing, so any client may
set it. Duplicates do no harm, because each log line has the client's address. The nginx of `deploy/` replaces
the ids of clients by its own.
"""

import logging
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from developers import tokens

HEADER = "X-Request-ID"
PATTERN = re.compile(r"[A-Za-z0-9._-]{1,64}")
RANDOM_BITS = 128

current: ContextVar[str] = ContextVar("request_id", default="")


def choose(offered: str | None) -> str:
    """Return the id that a client has sent, or a new one if that is invalid."""
    # A token matches the pattern, and must not get into the log.
    if offered and PATTERN.fullmatch(offered) and tokens.PREFIX not in offered:
        return offered
    # A thread that asks the system for randomness lets go of Python's lock. A forked process gets a new seed.
    return f"{random.getrandbits(RANDOM_BITS):032x}"


@contextmanager
def of(request_id: str) -> Iterator[None]:
    """Give log lines this id during the block."""
    outer = current.set(request_id)
    try:
        yield
    finally:
        current.reset(outer)


class WithRequestId(logging.Filter):
    """Adds the id of the current request to each record, or "-" outside of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get() or "-"
        return True
