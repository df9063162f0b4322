"""Throttles log records that any client can cause: a wrong host, a thousand form fields, a missing CSRF token.

Django logs each as an error with a traceback. They are no errors of the server, and many of
them must neither fill the disk nor hide real errors.
"""

import logging
import time

SECURITY_LOGGERS = "django.security."
LONGEST = 200
LINES_A_MINUTE = 10
NO_MORE = " (More of these in the next minute are not logged.)"


class LogThrottle(logging.Filter):
    """Shortens each to a warning of one line, and passes `LINES_A_MINUTE` of them in each process."""

    def __init__(self) -> None:
        super().__init__()
        self.minute_began, self.lines = float("-inf"), 0

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(SECURITY_LOGGERS):
            return True
        now = time.monotonic()
        if now - self.minute_began >= 60:  # noqa: PLR2004 - a minute
            self.minute_began, self.lines = now, 0
        self.lines += 1
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = record.exc_text = None
        record.msg, record.args = _short(record.getMessage()), ()
        if self.lines == LINES_A_MINUTE:
            record.msg += NO_MORE
        return self.lines <= LINES_A_MINUTE


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
