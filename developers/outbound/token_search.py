"""Finds API access tokens in outgoing text, plain or encoded.

Each text is decoded in every known way: escapes, base64 and hexadecimal digits. The results are decoded again,
up to `DEPTH` times. Characters that decoders skip are removed before a search: line breaks, blanks, the NULs of
UTF-16, quotation marks. A token's checksum prevents false matches.
"""

import binascii
import html
import re
import string
from collections.abc import Iterator

from developers import tokens

DEPTH = 5
# A search reads at most LEAST_BUDGET bytes plus BUDGET_FACTOR times the text's length.
LEAST_BUDGET = 64 * 1024
BUDGET_FACTOR = 16
LETTERS = (string.ascii_letters + string.digits).encode()


def _all_but(kept: bytes) -> bytes:
    return bytes(set(range(256)) - set(kept))


NOT_OF_TOKENS = _all_but(LETTERS + b"_")
# No part of a token encodes to + or /, or to their counterparts in base64url.
NOT_OF_BASE64 = _all_but(LETTERS)
NOT_OF_HEX = _all_but(string.hexdigits.encode())
# Text that is no base64 or hexadecimal decodes to noise without such long runs.
READABLE = re.compile(rb"[\t\n\r -~]{%d,}" % tokens.LENGTH)
# The escapes of URLs, of JSON and JavaScript (with any number of backslashes), and of HTML.
# Bounded numbers, and one look at each backslash, keep the time linear.
ESCAPES = re.compile(
    rb"%u(?P<url4>[0-9a-fA-F]{4})|%(?P<url2>[0-9a-fA-F]{2})"
    rb"|(?<!\\)\\+(?:u(?P<js4>[0-9a-fA-F]{4})|u\{0*(?P<js6>[0-9a-fA-F]{1,6})\}|x(?P<js2>[0-9a-fA-F]{2})|[bfnrt])"
    rb"|&#[xX]0*(?P<html6>[0-9a-fA-F]{1,6});?"
    rb"|(?P<html>&(?:#0*[0-9]{1,7}|[A-Za-z][0-9A-Za-z]{1,31});?)"
)
# Includes soft line breaks, which may split an escape of another encoding.
QUOTED_PRINTABLE = re.compile(rb"=(?P<quoted2>[0-9a-fA-F]{2})|(?P<break>=[ \t]*\r?\n)")


def holds_token(text: str | bytes) -> bool:
    """Return whether a text contains an API access token, plain or encoded.

    Also True if the text has so many encodings that the search would take too long.
    """
    data = text if isinstance(text, bytes) else text.encode(errors="replace")
    left = LEAST_BUDGET + BUDGET_FACTOR * len(data)
    seen: set[bytes] = set()
    layer = {data.replace(b"\0", b"")}
    for depth in range(DEPTH + 1):
        for reading in layer:
            left -= len(reading)
            if left < 0 or _holds_plain_token(reading):
                return True
        seen |= layer
        if depth < DEPTH:
            layer = {reading for outer in layer for reading in _readings(outer)} - seen
    return False


def _holds_plain_token(data: bytes) -> bool:
    letters = data.translate(None, NOT_OF_TOKENS).decode()
    return any(map(tokens.is_well_formed, tokens.PATTERN.findall(letters)))


def _readings(data: bytes) -> Iterator[bytes]:
    """Decode one layer in every way; skip results that are too short for a token."""
    return (reading for reading in _decoded(data) if len(reading) >= tokens.LENGTH)


def _decoded(data: bytes) -> Iterator[bytes]:
    yield ESCAPES.sub(_resolved, data).replace(b"\0", b"")
    yield QUOTED_PRINTABLE.sub(_resolved, data).replace(b"\0", b"")
    # Text before the encoded token may look like base64 too, so decoding starts at every offset.
    letters = data.translate(None, NOT_OF_BASE64)
    for shift in range(4):
        shifted = b"A" * shift + letters
        yield _readable(binascii.a2b_base64(shifted + b"A" * (-len(shifted) % 4)))
    digits = data.translate(None, NOT_OF_HEX)
    for shift in range(2):
        shifted = b"0" * shift + digits
        yield _readable(binascii.unhexlify(shifted + b"0" * (len(shifted) % 2)))


def _readable(data: bytes) -> bytes:
    return b"\n".join(READABLE.findall(data.replace(b"\0", b"")))


def _resolved(match: re.Match[bytes]) -> bytes:
    kind = match.lastgroup
    if kind is None:
        return b"\n"
    if kind == "break":
        return b""
    if kind == "html":
        return html.unescape(match[0].decode()).encode(errors="replace")
    number = int(match[kind], 16)
    return bytes([number]) if number < 128 else b"\xff"  # noqa: PLR2004 - the end of ASCII, as all of a token is
