"""The format of an API access token. Pure Python, no Django.

A token is `bpat_`, 40 random base62 characters (238 bits), and the CRC-32 of all of these as 6 base62
characters: 51 word characters. A double click selects all of it, secret scanners find it by its prefix, and the
checksum detects typing errors without a query. The idea is from GitHub's token format of 2021.
"""

import hmac
import re
import secrets
import string
from functools import cache
from typing import Any
from zlib import crc32

PREFIX = "bpat_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
# Two digits at a time, for speed: every bearer check computes the checksum.
PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
RANDOM_LENGTH = 40
CHECKSUM_LENGTH = 6
HINT_LENGTH = 4
LENGTH = len(PREFIX) + RANDOM_LENGTH + CHECKSUM_LENGTH
PATTERN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}", re.ASCII)


class Secret:
    """A token in memory. Printing, logging or pickling it gives the mask; `open()` returns the token."""

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        self._token = token

    def open(self) -> str:
        return self._token

    @property
    def hint(self) -> str:
        return self._token[-HINT_LENGTH:]

    def __str__(self) -> str:
        return mask(self.hint)

    __repr__ = __str__

    def __format__(self, format_spec: str) -> str:
        return format(str(self), format_spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._token.encode(), other._token.encode())

    def __hash__(self) -> int:
        return hash(self._token)

    def __reduce__(self) -> tuple[Any, ...]:
        return (str, (str(self),))


def generate() -> Secret:
    """Make a token from the operating system's randomness."""
    body = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return Secret(body + checksum(body))


def checksum(body: str) -> str:
    """Return the CRC-32 of an ASCII string as 6 base62 digits, most significant first."""
    rest, last = divmod(crc32(body.encode("ascii")), len(PAIRS))
    first, middle = divmod(rest, len(PAIRS))
    return PAIRS[first] + PAIRS[middle] + PAIRS[last]


def is_well_formed(text: str) -> bool:
    """Return whether a text has the form of a token and the right checksum. Needs no query."""
    if PATTERN.fullmatch(text) is None:
        return False
    return text[-CHECKSUM_LENGTH:] == checksum(text[:-CHECKSUM_LENGTH])


def mask(hint: str) -> str:
    """Return a token's mask. It has the token's length, so that showing the token moves nothing on the page."""
    return f"{PREFIX}{'•' * (LENGTH - len(PREFIX) - HINT_LENGTH)}{hint}"


def digest(token: str, key: bytes) -> bytes:
    """Return the HMAC-SHA-256 of a token (32 bytes).

    A token has 238 random bits and cannot be guessed, so a slow hash would cost time and add no security.
    """
    keyed = _keyed(key).copy()
    keyed.update(token.encode())
    return keyed.digest()


@cache
def _keyed(key: bytes) -> hmac.HMAC:
    # Cached: hashing the key takes longer than hashing a token.
    return hmac.new(key, digestmod="sha256")
