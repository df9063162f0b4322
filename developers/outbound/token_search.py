"""Finding API access tokens in what is sent, plain or encoded.

Each layer of a text is read in every way at once: with its escapes resolved, as base64 and as hexadecimal digits.
What that gives is read again, `DEPTH` times. Characters that no token and no digit is written with are left out
before a search, since decoders skip them: line breaks, blanks, the NULs of UTF-16, quotation marks. A token's
checksum keeps what only looks alike from being found.
"""

import binascii
import html
import re
import string
from collections.abc import Iterator

from developers import tokens

DEPTH = 5
# Bytes that a search reads, beyond a multiple of the text's own length.
LEAST_BUDGET = 64 * 1024
BUDGET_FACTOR = 16
LETTERS = (string.ascii_letters + string.digits).encode()


def _all_but(kept: bytes) -> bytes:
    return bytes(set(range(256)) - set(kept))


NOT_OF_TOKENS = _all_but(LETTERS + b"_")
# Neither + nor / nor what base64url has for them encodes any part of a token.
NOT_OF_BASE64 = _all_but(LETTERS)
NOT_OF_HEX = _all_but(string.hexdigits.encode())
# What was never base64 or hexadecimal decodes to noise, which has no such run.
READABLE = re.compile(rb"[\t\n\r -~]{%d,}" % tokens.LENGTH)
# Of URLs, of JSON and JavaScript (however often their backslashes are doubled), and of HTML.
# The numbers have upper bounds, and each backslash is looked at once, so that the time stays linear.
ESCAPES = re.compile(
    rb"%u(?P<url4>[0-9a-fA-F]{4})|%(?P<url2>[0-9a-fA-F]{2})"
    rb"|(?<!\\)\\+(?:u(?P<js4>[0-9a-fA-F]{4})|u\{0*(?P<js6>[0-9a-fA-F]{1,6})\}|x(?P<js2>[0-9a-fA-F]{2})|[bfnrt])"
    rb"|&#[xX]0*(?P<html6>[0-9a-fA-F]{1,6});?"
    rb"|(?P<html>&(?:#0*[0-9]{1,7}|[A-Za-z][0-9A-Za-z]{1,31});?)"
)
# With its soft line breaks, which may part an escape of another encoding.
QUOTED_PRINTABLE = re.compile(rb"=(?P<quoted2>[0-9a-fA-F]{2})|(?P<break>=[ \t]*\r?\n)")


def holds_token(text: str | bytes) -> bool:
    """Say whether a text holds an API access token, plain or encoded.

    True as well where it is encoded in so many ways that the search would take too long.
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
    """Decode one layer, in every way that leaves room for a token."""
    return (reading for reading in _decoded(data) if len(reading) >= tokens.LENGTH)


def _decoded(data: bytes) -> Iterator[bytes]:
    yield ESCAPES.sub(_resolved, data).replace(b"\0", b"")
    yield QUOTED_PRINTABLE.sub(_resolved, data).replace(b"\0", b"")
    # What stands before it may look like a part of it, or be left out: it may begin at any digit.
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
