"""Seals a token for display, digests it for look-up, and binds it to its row, with the keys of the key ring.

The ring's first key seals, digests and binds; all keys unseal, look up and verify.

The binding is an HMAC-SHA-256 over owner, generation and digest. Someone who can write to the database but has
no key cannot make one, so a row that was moved to another owner is refused.
"""

import hmac
import struct
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from django.views.decorators.debug import sensitive_variables

from accounts import keyring
from accounts.keyring import Purpose, RingKey, Unreadable
from developers import tokens
from developers.tokens import Secret

NUMBERS = struct.Struct(">QQ")


class Hmac:
    """HMAC-SHA-256 with the key hashed beforehand (RFC 2104, section 4): takes half the time of `hmac.digest`."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = key.ljust(sha256().block_size, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


@dataclass(frozen=True, slots=True, repr=False)
class TokenKey:
    """The keys for tokens that are derived from one key of the ring, and that key's id."""

    id: str
    digest_key: bytes
    binding: Hmac
    fernet: Fernet


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """The columns of a row that hold a token. All use the key named by `key_id`."""

    digest: bytes
    ciphertext: str
    key_id: str
    binding: bytes | memoryview | None


@sensitive_variables("payload")
def seal(owner_id: int, generation: int, token: Secret) -> Sealed:
    """Seal a token to its owner and generation, under the first key of the ring."""
    key = ring()[0]
    payload = f"{owner_id}.{generation}.{token.open()}".encode()
    digest = tokens.digest(token.open(), key.digest_key)
    ciphertext = key.fernet.encrypt(payload).decode()
    return Sealed(digest, ciphertext, key.id, _bind(key, owner_id, generation, digest))


@sensitive_variables("token")
def unseal(owner_id: int, generation: int, sealed: Sealed) -> Secret:
    """Open a sealed token if owner, generation and digest match its row.

    Raises `Unreadable` with the reason, which contains no part of the token.
    """
    key = _key(sealed.key_id)
    try:
        sealed_owner, sealed_generation, token = key.fernet.decrypt(sealed.ciphertext).decode().split(".")
    except (InvalidToken, TypeError, ValueError):
        raise Unreadable("its ciphertext is damaged") from None
    if (sealed_owner, sealed_generation) != (str(owner_id), str(generation)):
        raise Unreadable("its ciphertext belongs to another row")
    if tokens.digest(token, key.digest_key) != sealed.digest:
        raise Unreadable("its ciphertext and its digest differ")
    return Secret(token)


def binding(owner_id: int, generation: int, sealed: Sealed) -> bytes:
    """Return the binding for a row without one, if `unseal` opens it for this owner and generation.

    Raises `Unreadable` with the reason.
    """
    unseal(owner_id, generation, sealed)
    return _bind(_key(sealed.key_id), owner_id, generation, sealed.digest)


def is_bound(owner_id: int, generation: int, digest: bytes, key_id: str, binding: bytes | memoryview | None) -> bool:
    """Return whether a row's binding matches its owner, generation and digest under the row's key.

    Part of each bearer check; takes under 2 µs.
    """
    try:
        expected = _bind(_key(key_id), owner_id, generation, digest)
        return binding is not None and hmac.compare_digest(expected, binding)
    except (Unreadable, TypeError, struct.error):
        # SQLite stores values of any type in any column.
        return False


def digests(token: Secret) -> list[bytes]:
    """Return a token's digests under all keys of the ring, for a single look-up."""
    return [tokens.digest(token.open(), key.digest_key) for key in ring()]


def ring() -> tuple[TokenKey, ...]:
    """Return the keys for tokens, the one that seals first. Raises `ImproperlyConfigured` as `keyring.ring` does."""
    return tuple(map(_derive, keyring.ring()))


def _key(key_id: str) -> TokenKey:
    return _derive(keyring.find(key_id))


def _bind(key: TokenKey, owner_id: int, generation: int, digest: bytes) -> bytes:
    # Fixed-width numbers, and the digest last: two rows never give the same message.
    return key.binding.digest(NUMBERS.pack(owner_id, generation) + digest)


@cache
def _derive(key: RingKey) -> TokenKey:
    return TokenKey(
        id=key.id,
        digest_key=keyring.derive(key, Purpose.DIGEST),
        binding=Hmac(keyring.derive(key, Purpose.BINDING)),
        fernet=keyring.fernet(key, Purpose.SEAL),
    )
