"""The ring of token keys: sealing a token for display, digesting it for look-up, and binding it to its row.

`TOKEN_KEYS` is the ring. Its first key seals, digests and binds; all of them unseal, look up and verify.
From each key HKDF (RFC 5869) derives one key for each purpose, so that neither a sealed
token nor a digest says anything about the other, nor about the outbound calls that a key
of their own seals. Sealing is Fernet: AES-128-CBC with HMAC-SHA-256.

The binding is an HMAC-SHA-256 over owner, generation and digest. Whoever can write to the
database and has no key cannot make one, so a row moved to another owner is not believed.
"""

import base64
import hmac
import struct
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.views.decorators.debug import sensitive_variables

from developers import tokens
from developers.tokens import Secret

KEY_LENGTH = 32
# 32 random bytes hold about 30 different ones; fewer than this come from a keyboard, not from chance.
LEAST_DIFFERENT_BYTES = 16
NUMBERS = struct.Struct(">QQ")


class Unreadable(Exception):
    """Something sealed that no key of the ring opens, or that belongs to another row."""


class Hmac:
    """HMAC-SHA-256 that has hashed its key already (RFC 2104, section 4), for half the time of `hmac.digest`."""

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
class Key:
    """One key of the ring: a public name for it, and the keys derived from it."""

    id: str
    digest_key: bytes
    binding: "Hmac"
    fernet: Fernet
    outbound: Fernet


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """What a row keeps of a token: all of it is under the key that `key_id` names."""

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
    """Open a sealed token, if owner, generation and digest are all those of the row that holds it.

    Raises `Unreadable` with the reason, which never holds any of the token.
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
    """Return the binding of a row that has none, if `unseal` opens it as this owner's and generation's.

    Raises `Unreadable` with the reason.
    """
    unseal(owner_id, generation, sealed)
    return _bind(_key(sealed.key_id), owner_id, generation, sealed.digest)


def is_bound(owner_id: int, generation: int, digest: bytes, key_id: str, binding: bytes | memoryview | None) -> bool:
    """Tell whether a row's binding is that of its owner, generation and digest under the row's key.

    Each bearer check asks this, within 2 µs.
    """
    try:
        expected = _bind(_key(key_id), owner_id, generation, digest)
        return binding is not None and hmac.compare_digest(expected, binding)
    except (Unreadable, TypeError, struct.error):
        # SQLite keeps values of any type in any column.
        return False


def seal_outbound(owner_id: int, api_id: str, text: str) -> tuple[str, str]:
    """Seal what an outbound API sends to its owner and id; return ciphertext and key id."""
    key = ring()[0]
    return key.outbound.encrypt(f"{owner_id}.{api_id}.{text}".encode()).decode(), key.id


def unseal_outbound(owner_id: int, api_id: str, ciphertext: str, key_id: str) -> str:
    """Open what an outbound API sends, if it was sealed to this owner and id.

    Raises `Unreadable` with the reason, which never holds any of the text.
    """
    key = _key(key_id)
    try:
        sealed_owner, sealed_id, text = key.outbound.decrypt(ciphertext).decode().split(".", 2)
    except (InvalidToken, ValueError):
        raise Unreadable("its ciphertext is damaged") from None
    if (sealed_owner, sealed_id) != (str(owner_id), api_id):
        raise Unreadable("its ciphertext belongs to another row")
    return text


def digests(token: Secret) -> list[bytes]:
    """Return a token's digest under every key of the ring, for one look-up of all of them."""
    return [tokens.digest(token.open(), key.digest_key) for key in ring()]


def ring() -> tuple[Key, ...]:
    """Return the keys of `TOKEN_KEYS`, the one that seals first.

    Raises `ImproperlyConfigured` where one is not 256 bits of base64.
    """
    return _derive_all(tuple(settings.TOKEN_KEYS))


def _key(key_id: str) -> Key:
    for key in ring():
        if key.id == key_id:
            return key
    raise Unreadable(f"its key {key_id} is not in TOKEN_KEYS")


def _bind(key: Key, owner_id: int, generation: int, digest: bytes) -> bytes:
    # Numbers of a fixed width, and the digest last: no two rows give one message.
    return key.binding.digest(NUMBERS.pack(owner_id, generation) + digest)


@cache
def _derive_all(texts: tuple[str, ...]) -> tuple[Key, ...]:
    return tuple(_derive_key(text) for text in texts)


def _derive_key(text: str) -> Key:
    try:
        material = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        material = b""
    if len(material) < KEY_LENGTH or len(set(material)) < LEAST_DIFFERENT_BYTES:
        raise ImproperlyConfigured(
            "A key in TOKEN_KEYS is not 32 random bytes in URL-safe base64. "
            "Make one with `python -c 'import secrets; print(secrets.token_urlsafe(32))'`."
        )

    def derive(purpose: str, length: int) -> bytes:
        return HKDF(SHA256(), length, salt=None, info=f"botpenguin token {purpose} v1".encode()).derive(material)

    return Key(
        id=derive("key id", 4).hex(),
        digest_key=derive("digest", KEY_LENGTH),
        binding=Hmac(derive("binding", KEY_LENGTH)),
        fernet=Fernet(base64.urlsafe_b64encode(derive("seal", KEY_LENGTH))),
        outbound=Fernet(base64.urlsafe_b64encode(derive("outbound seal", KEY_LENGTH))),
    )
