"""The ring of keys in `TOKEN_KEYS`: its first key seals, and all of them unseal.

From each key HKDF (RFC 5869) derives one key for each purpose, so that nothing made with one
of them says anything about another. Sealing is Fernet: AES-128-CBC with HMAC-SHA-256.
"""

import base64
from dataclasses import dataclass
from enum import Enum
from functools import cache

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_LENGTH = 32
# 32 random bytes hold about 30 different ones; fewer than this come from a keyboard, not from chance.
LEAST_DIFFERENT_BYTES = 16


class Unreadable(Exception):
    """Sealed text that no key of the ring opens, or that belongs to another row. Its text is the reason."""


class Purpose(Enum):
    """What a key is derived for. A changed value makes unreadable all that was made with that key."""

    ID = "token key id"
    DIGEST = "token digest"
    BINDING = "token binding"
    SEAL = "token seal"
    OUTBOUND_SEAL = "token outbound seal"
    SECOND_FACTOR_SEAL = "second factor seal"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class RingKey:
    """One key of the ring. Its id is public: rows name their key by it."""

    id: str
    text: str
    material: bytes


def ring() -> tuple[RingKey, ...]:
    """Return the keys of `TOKEN_KEYS`, the one that seals first.

    Raises `ImproperlyConfigured` where one is not 256 bits of base64.
    """
    return _read_all(tuple(settings.TOKEN_KEYS))


def find(key_id: str) -> RingKey:
    """Return the key that a row names. Raises `Unreadable` where the ring does not hold it."""
    for key in ring():
        if key.id == key_id:
            return key
    raise Unreadable(f"its key {key_id} is not in TOKEN_KEYS")


@cache
def derive(key: RingKey, purpose: Purpose) -> bytes:
    """Return the 256 bits derived from a key for a purpose."""
    # Second factors have been sealed under the key's text from the beginning, all else under the bytes that it spells.
    material = key.text.encode() if purpose is Purpose.SECOND_FACTOR_SEAL else key.material
    return _expand(material, purpose, KEY_LENGTH)


@cache
def fernet(key: RingKey, purpose: Purpose) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derive(key, purpose)))


@cache
def _read_all(texts: tuple[str, ...]) -> tuple[RingKey, ...]:
    return tuple(_read(text) for text in texts)


def _read(text: str) -> RingKey:
    try:
        material = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        material = b""
    if len(material) < KEY_LENGTH or len(set(material)) < LEAST_DIFFERENT_BYTES:
        raise ImproperlyConfigured(
            "A key in TOKEN_KEYS is not 32 random bytes in URL-safe base64. "
            "Make one with `python -c 'import secrets; print(secrets.token_urlsafe(32))'`."
        )
    return RingKey(_expand(material, Purpose.ID, 4).hex(), text, material)


def _expand(material: bytes, purpose: Purpose, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=f"botpenguin {purpose.value} v1".encode()).derive(material)
