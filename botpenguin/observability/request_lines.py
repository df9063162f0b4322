"""The log line of a request, written without a record of `logging`, which costs as much as the bearer check.

`LineHandler` writes what a record with the same fields would give. No field can hold a secret, so nothing is masked:
the id has passed `request_ids.choose`, and the route is a pattern of the code.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple, TextIO

from botpenguin.observability.log_throttle import LogThrottle
from botpenguin.observability.request_ids import WithRequestId
from developers.redaction import MaskingFormatter, MaskingJsonFormatter, WithoutSecrets

LOGGER = "botpenguin.requests"
# Filters of the project, which would pass such a line unchanged.
PASSING = (WithRequestId, LogThrottle, WithoutSecrets)


class RequestLine(NamedTuple):
    """What is logged of a request. `client` and `user` are "-" if they are not known."""

    request_id: str
    method: str
    route: str
    status: int
    seconds: float
    client: str
    user: int | str

    @property
    def is_of_error(self) -> bool:
        return self.status >= HTTPStatus.BAD_REQUEST

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "route": self.route,
            "status": self.status,
            "milliseconds": round(self.seconds * 1000, 1),
            "client": self.client,
            "user": self.user,
        }

    @property
    def message(self) -> str:
        _, method, route, status, seconds, client, user = self
        return f"{method} {route} {status} in {round(seconds * 1000, 1)} ms to {client}, user {user}"


def as_text(line: RequestLine, created: float) -> str:
    second = int(created)
    milliseconds = int((created - second) * 1000)
    return f"{_time_of(second)},{milliseconds:03} [{line.request_id}] INFO {LOGGER}: {line.message}"


def as_json(line: RequestLine, created: float) -> str:
    return json.dumps(
        {
            "time": datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": "INFO",
            "logger": LOGGER,
            "process": os.getpid(),
            "request_id": line.request_id,
            "message": line.message,
            **line.fields,
        }
    )


# Most lines are of the same second as the line before.
@lru_cache(maxsize=2)
def _time_of(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))


WRITERS: Mapping[type[logging.Formatter | None], Callable[[RequestLine, float], str]] = {
    MaskingFormatter: as_text,
    MaskingJsonFormatter: as_json,
}


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes records, and lines of requests without a record."""

    @property
    def takes_lines(self) -> bool:
        """Whether it would write a record of a request as `write_line` writes the line."""
        return type(self.formatter) in WRITERS and all(type(each) in PASSING for each in self.filters)

    def write_line(self, line: RequestLine) -> None:
        """Write a line at once. Like a record, it is lost if nothing can be written."""
        text = f"{WRITERS[type(self.formatter)](line, time.time())}\n"
        self.acquire()
        try:
            # Closed, or on a full disk.
            with suppress(OSError, ValueError):
                self.stream.write(text)
                self.stream.flush()
        finally:
            self.release()
