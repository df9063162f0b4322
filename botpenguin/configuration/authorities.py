"""Checks the file of certificate authorities of one's own."""

import ssl
from pathlib import Path

from botpenguin.configuration import ImproperlyConfigured


def checked(path: str) -> str:
    """Return the absolute path of a PEM file of certificates, or nothing. Raises `ImproperlyConfigured`."""
    if not path:
        return ""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (OSError, ValueError):  # a NUL in it
        raise ImproperlyConfigured(
            "CA_FILE names no file of certificates in PEM that can be read. It contains those of your own authorities, "
            "from BEGIN CERTIFICATE to END CERTIFICATE."
        ) from None
    return str(Path(path).absolute())
