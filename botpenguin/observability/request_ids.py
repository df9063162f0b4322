"""The name of a request, `X-Request-ID`: in its answer, and in every line that it leaves in the log.

A client may bring its own, to find its calls again; a proxy should set one. It is a name and no more: it
opens nothing, and that two requests bear the same one harms nobody, since each tells its client's address.
So it is taken from anybody who keeps to the pattern; nginx of `deploy/` puts its own in a client's place.
"""

import logging
import re
import secrets
from contextvars import ContextVar

from developers import tokens

HEADER = "X-Request-ID"
PATTERN = re.compile(r"[A-Za-z0-9._-]{1,64}")
RANDOM_BYTES = 16

current: ContextVar[str] = ContextVar("request_id", default="")


def take(offered: str | None) -> str:
    """Return what a client has offered as the id of its request, or a fresh one where that will not do."""
    # A token fits the pattern, and so does a part of one.
    if offered and PATTERN.fullmatch(offered) and tokens.PREFIX not in offered:
        return offered
    return secrets.token_hex(RANDOM_BYTES)


class WithRequestId(logging.Filter):
    """Give each record the id of the request that it was made in, or "-" where it was made in none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get() or "-"
        return True
