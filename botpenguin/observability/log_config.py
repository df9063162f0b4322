"""Logging, to standard error, where the process manager collects it: a line a record, as text or as JSON.

Settings import it, and it imports none: it names by their paths what does the work. All of it can be written
as JSON, for the web server takes its own part from a file (`botpenguin.server`).
"""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

FORMATTERS: dict[str, dict[str, Any]] = {
    "text": {"()": "developers.redaction.MaskingFormatter"},
    "json": {"()": "developers.redaction.MaskingJsonFormatter"},
}


def configuration(log_format: str) -> dict[str, Any]:
    """Return Django's `LOGGING`. Raises `ImproperlyConfigured` unless the format is `text` or `json`."""
    if log_format not in FORMATTERS:
        raise ImproperlyConfigured("LOG_FORMAT is neither text nor json. Choose one of them.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": FORMATTERS[log_format]},
        "filters": {
            "request_id": {"()": "botpenguin.observability.request_ids.WithRequestId"},
            "brief": {"()": "botpenguin.observability.log_throttle.LogThrottle"},
            "without_secrets": {"()": "developers.redaction.WithoutSecrets"},
            "without_outages": {"()": "botpenguin.database.outages.WithoutOutages"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "line",
                "filters": ["request_id", "brief", "without_secrets"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # Each request has a line of its own, which tells a 401 or 404 as well as a warning would.
            "django.request": {"level": "ERROR", "filters": ["without_outages"]},
            # They would tell the addresses of outbound calls, and what stands in them.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            # Without a handler of its own it would bring one, and tell everything twice.
            "post_office": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            # The web server's own. Why no warnings, says botpenguin.server.
            "_granian": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        },
    }
