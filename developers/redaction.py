"""Masks secrets in logs, also where people put them by mistake: in a path, in a user agent."""

import json
import logging
import re
import time
from datetime import UTC, datetime

from developers import tokens

# Mailed links that reset a password or confirm an address. `accounts.urls` and `botpenguin.urls` define the paths.
LINK = re.compile(r"(?<=/account/password/reset/key/)[\w-]+|(?<=/account/confirm-email/)[\w:-]+")


class WithoutSecrets(logging.Filter):
    """Masks secrets in a message, for all later handlers and formatters."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_secrets(record.getMessage()), ()
        return True


class MaskingFormatter(logging.Formatter):
    """Writes lines with secrets masked, including tracebacks. Times are UTC."""

    converter = staticmethod(time.gmtime)

    def usesTime(self) -> bool:  # noqa: N802 - logging's name
        return True

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        # A format style looks its fields up in the whole record, which takes four times as long.
        request_id = getattr(record, "request_id", "-")
        return f"{record.asctime} [{request_id}] {record.levelname} {record.name}: {record.message}"

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class MaskingJsonFormatter(logging.Formatter):
    """Writes one JSON object a line, with secrets masked.

    Of a record's extra attributes, only `FIELDS` are written: Django also adds the request, whose text contains its
    URL and query.
    """

    FIELDS = ("method", "route", "status", "milliseconds", "client", "user")

    def format(self, record: logging.LogRecord) -> str:
        time_of_record = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": time_of_record.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "request_id": getattr(record, "request_id", "-"),
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in self.FIELDS if hasattr(record, name)}
        if traceback := self.formatException(record.exc_info) if record.exc_info else record.exc_text:
            line["traceback"] = traceback
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        # JSON escapes no character of a token or its mask.
        return without_secrets(json.dumps(line, default=str))


def without_secrets(text: str) -> str:
    """Replace everything that looks like a token by its mask, and the keys of mailed links by an ellipsis."""
    # Most texts contain neither prefix, and searching for one costs a hundredth of the pattern.
    if "/account/" in text:
        text = LINK.sub("…", text)
    return tokens.PATTERN.sub(_mask, text) if tokens.PREFIX in text else text


def _mask(match: re.Match[str]) -> str:
    return tokens.mask(match[0][-tokens.HINT_LENGTH :])
