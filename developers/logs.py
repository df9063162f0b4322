"""Keeping tokens out of logs, also those that people put where none belongs: a path, a user agent."""

import logging
import re

from developers import tokens


class MaskingFormatter(logging.Formatter):
    """Write each line with the mask in place of whatever looks like a token, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return tokens.PATTERN.sub(_mask, super().format(record))


def _mask(match: re.Match[str]) -> str:
    return tokens.mask(match[0][-tokens.HINT_LENGTH :])
