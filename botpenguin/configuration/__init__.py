"""Reads settings: the file `.env`, values, URLs, and the place of the database. No message contains a value."""

# Django's own, which the first run may not import.
from environ.compat import ImproperlyConfigured  # type: ignore[attr-defined]

__all__ = ["ImproperlyConfigured"]
