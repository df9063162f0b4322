"""Sealing what a second factor is made of, so that a copy of the database holds no way to log in.

The keys are derived by HKDF (RFC 5869) from those of `TOKEN_KEYS`, for this purpose alone: the
first seals, all of them unseal. So one ring is kept and rotated, and neither use of it says
anything about the other. Sealing is Fernet: AES-128-CBC with HMAC-SHA-256.
"""

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """Sealed text that no key of the ring opens."""


def seal(text: str) -> str:
    return _ring(tuple(settings.TOKEN_KEYS)).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Open sealed text. Raises `Unreadable`, which holds none of it."""
    try:
        return _ring(tuple(settings.TOKEN_KEYS)).decrypt(sealed).decode()
    except InvalidToken:
        raise Unreadable("no key in TOKEN_KEYS opens it") from None


def reseal(sealed: str) -> str:
    """Seal under the first key of the ring what any of them has sealed. Raises `Unreadable`."""
    return seal(unseal(sealed))


@cache
def _ring(texts: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([_derive(text) for text in texts])


def _derive(text: str) -> Fernet:
    key = HKDF(SHA256(), 32, salt=None, info=b"botpenguin second factor seal v1").derive(text.encode())
    return Fernet(base64.urlsafe_b64encode(key))
