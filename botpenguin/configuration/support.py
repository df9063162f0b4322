"""Reads the address that people write to for help."""

from django.core.exceptions import ValidationError

from accounts.email_addresses import normalized
from botpenguin.configuration import ImproperlyConfigured


def email(value: str) -> str:
    """Return the address as it is stored, or "" where none is set. Raises `ImproperlyConfigured`."""
    if not value:
        return ""
    try:
        return normalized(value)
    except ValidationError:
        raise ImproperlyConfigured(
            "SUPPORT_EMAIL is not the address of one mailbox, such as support@example.com."
        ) from None
