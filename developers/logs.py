"""Keeping secrets out of logs, also those that people put where none belongs: a path, a user agent."""

import logging
import re

from developers import tokens

# Mailed links, which reset a password and confirm an address: `accounts.urls` and `botpenguin.urls` give the paths.
LINK = re.compile(r"(?<=/account/password/reset/key/)[\w-]+|(?<=/account/confirm-email/)[\w:-]+")


class WithoutSecrets(logging.Filter):
    """Mask what looks like a secret in a message, for whichever handler and formatter comes after."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_secrets(record.getMessage()), ()
        return True


class MaskingFormatter(logging.Formatter):
    """Write each line with the mask in place of whatever looks like a secret, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


def without_secrets(text: str) -> str:
    """Put the mask in the place of all that looks like a token, and an ellipsis in that of a mailed link's key."""
    return tokens.PATTERN.sub(_mask, LINK.sub("…", text))


def _mask(match: re.Match[str]) -> str:
    return tokens.mask(match[0][-tokens.HINT_LENGTH :])
