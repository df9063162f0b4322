"""Keeping secrets out of logs, also those that people put where none belongs: a path, a user agent."""

import logging
import re
import time
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from developers import tokens

# Mailed links, which reset a password and confirm an address: `accounts.urls` and `botpenguin.urls` give the paths.
LINK = re.compile(r"(?<=/account/password/reset/key/)[\w-]+|(?<=/account/confirm-email/)[\w:-]+")


class WithoutSecrets(logging.Filter):
    """Mask what looks like a secret in a message, for whichever handler and formatter comes after."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_secrets(record.getMessage()), ()
        return True


class MaskingFormatter(logging.Formatter):
    """Write each line with the mask in place of whatever looks like a secret, tracebacks included. Times are UTC."""

    converter = staticmethod(time.gmtime)

    def usesTime(self) -> bool:  # noqa: N802 - logging's name
        return True

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        # A style would look for its fields among all that a record has, which takes four times as long.
        request_id = getattr(record, "request_id", "-")
        return f"{record.asctime} [{request_id}] {record.levelname} {record.name}: {record.message}"

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class MaskingJsonFormatter(JsonFormatter):
    """The same as a JSON object a line.

    Of what a record carries besides its message only `FIELDS` are told: Django adds the request, whose text
    is its address and query.
    """

    FIELDS = ("method", "route", "status", "milliseconds", "client", "user")

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        moment = datetime.fromtimestamp(record.created, UTC)
        log_data |= {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "request_id": getattr(record, "request_id", "-"),
            "message": record.message,
        }
        log_data |= {name: getattr(record, name) for name in self.FIELDS if hasattr(record, name)}
        if "exc_info" in message_dict:
            log_data["traceback"] = message_dict["exc_info"]
        if "stack_info" in message_dict:
            log_data["stack"] = message_dict["stack_info"]

    def format(self, record: logging.LogRecord) -> str:
        # Neither a token nor its mask holds what JSON escapes.
        return without_secrets(super().format(record))


def without_secrets(text: str) -> str:
    """Put the mask in the place of all that looks like a token, and an ellipsis in that of a mailed link's key."""
    # Most texts hold neither beginning, and to look for that costs a hundredth of trying a pattern at each character.
    if "/account/" in text:
        text = LINK.sub("…", text)
    return tokens.PATTERN.sub(_mask, text) if tokens.PREFIX in text else text


def _mask(match: re.Match[str]) -> str:
    return tokens.mask(match[0][-tokens.HINT_LENGTH :])
