"""Logging to standard error, one line a record, as text or as JSON.

Settings import this, so it imports no setting and names classes by their paths. It must be serializable as JSON,
because the web server reads its configuration from a file (`botpenguin.server`).
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
                "class": "botpenguin.observability.request_lines.LineHandler",
                "stream": "ext://sys.stderr",
                "formatter": "line",
                "filters": ["request_id", "brief", "without_secrets"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # Each request has a line of its own with its status, so warnings about 401 or 404 add nothing.
            "django.request": {"level": "ERROR", "filters": ["without_outages"]},
            # They would log the URLs of outbound calls, which may contain secrets.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            # Without a handler here it would add one, and log everything twice.
            "post_office": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            # The web server. botpenguin.server explains why its warnings are off.
            "_granian": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        },
    }
