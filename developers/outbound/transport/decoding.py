"""Decodes the body of a response by its Content-Encoding and Transfer-Encoding, as far as it can be decoded.

Decompresses at most `MOST_BYTES` of a layer, and one chunk more, however much a small chunk expands to.
Follows RFC 9110, section 8.4, RFC 1952 for gzip of several members, and curl for "deflate" without zlib's header.
"""

import re
import zlib
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from developers.outbound.sentences import gettext as _

if TYPE_CHECKING:
    from zlib import _Decompress

MOST_BYTES = 1024 * 1024
# As many as curl accepts.
MOST_LAYERS = 5
# Each one takes time to begin. Tools that compress in blocks write fewer than 100 for `MOST_BYTES`.
MOST_MEMBERS = 1_000
GZIP, ZLIB, RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
READABLE = ("gzip", "x-gzip", "deflate")
NO_ENCODING = ("identity", "none")
# Compressions that no call asks for: what is below them stays closed.
CLOSED = ("br", "zstd", "compress", "x-compress", "dcb", "dcz", "bzip2", "xz", "lzma")
# So many bytes show whether data is compressed.
BEGINNING = 64
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
# Of a header's value in a sentence.
MOST_SHOWN = 100


@dataclass(slots=True)
class Decoding:
    """What happened on the way.

    problem: a sentence that says why a part is missing.
    notes: sentences about what is unusual.
    unknown: the encodings that were not decoded.
    """

    problem: str = ""
    unknown: str = ""
    notes: list[str] = field(default_factory=list)


def decode(chunks: Iterable[bytes], encodings: list[str], decoding: Decoding) -> Iterator[bytes]:
    """Yield the decoded body. `encodings`: in the order in which the server applied them."""
    names = [name.lower() for name in encodings if name.lower() not in NO_ENCODING]
    unknown = names if len(names) > MOST_LAYERS else [name for name in names if name not in READABLE]
    decoding.unknown = ", ".join(unknown)[:MOST_SHOWN]
    for name in reversed(names if len(names) <= MOST_LAYERS else []):
        if name in CLOSED:
            break
        if name in READABLE:
            chunks = _Layer(name, decoding).decompress(chunks)
    return iter(chunks)


class _Layer:
    """One compression: members of gzip, or one stream of zlib or deflate."""

    def __init__(self, encoding: str, decoding: Decoding) -> None:
        self._encoding = encoding
        self._decoding = decoding
        self._window_bits: int | None = None
        self._member: _Decompress | None = None
        self._members = 0
        self._is_empty = True
        self._is_over = False

    def decompress(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        left = iter(chunks)
        beginning = _beginning(left)
        if not beginning:
            return
        self._window_bits = _window_bits(self._encoding, beginning)
        if self._window_bits is None:
            sentence = _(
                "The response names the compression %(encoding)s, but is not compressed. It is shown as it came."
            )
            self._decoding.notes.append(sentence % {"encoding": self._encoding})
            yield beginning
            yield from left
            return
        received = len(beginning)
        yield from self._feed(beginning)
        for chunk in left:
            if self._is_over:
                return
            received += len(chunk)
            yield from self._feed(chunk)
            if received > MOST_BYTES:
                # Compressed data that is longer than its content is not worth reading on.
                self._decoding.problem = _("The response is compressed, and cannot be decompressed.")
                return
        if self._member and not self._member.eof and not self._is_over:
            self._stop(_("The compressed response ends too early. What came is shown."))

    def _feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self._is_over:
            if not self._member or self._member.eof:
                data = self._begin(data)
                continue
            part, is_damaged = _inflate(self._member, data)
            self._is_empty = self._is_empty and not part
            yield part
            if is_damaged:
                self._stop(_("The compressed response is damaged. What came before is shown."))
            data = self._member.unused_data

    def _begin(self, data: bytes) -> bytes:
        """Begin a member. Returns the data without the padding before it."""
        if self._member:
            data = data.lstrip(b"\0")
        if data and self._members and (self._window_bits != GZIP or self._members == MOST_MEMBERS):
            self._stop("")
        elif data:
            self._member = zlib.decompressobj(self._window_bits or GZIP)
            self._members += 1
            self._is_empty = True
        return data

    def _stop(self, problem: str) -> None:
        self._is_over = True
        if self._members > 1 and self._is_empty:
            problem = ""
        if problem:
            # A failure of the connection comes first, and causes an early end.
            self._decoding.problem = self._decoding.problem or problem
        else:
            self._decoding.notes.append(_("More came after the end of the compressed response. It is not shown."))


def _beginning(chunks: Iterator[bytes]) -> bytes:
    beginning = b""
    for chunk in chunks:
        beginning += chunk
        if len(beginning) >= BEGINNING:
            break
    return beginning


def _window_bits(encoding: str, beginning: bytes) -> int | None:
    """Return what zlib is to expect; None for data that is not compressed. Servers confuse gzip and deflate."""
    if beginning[:2] == b"\x1f\x8b":
        return GZIP
    if encoding != "deflate":
        return None
    # RFC 1950, section 2.2
    if int.from_bytes(beginning[:2]) % 31 == 0 and beginning[0] & 0x0F == zlib.DEFLATED:
        return ZLIB
    return None if _is_plain(beginning) else RAW


def _is_plain(data: bytes) -> bool:
    """Return whether data is text. Deflate without a header has no sign of its own."""
    try:
        text = getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    probe = zlib.decompressobj(RAW)
    _inflate(probe, data)
    return not probe.eof and not CONTROL.search(text)


def _inflate(member: "_Decompress", data: bytes) -> tuple[bytes, bool]:
    """Decompress, and return whether the data is damaged. What comes before the damage is kept."""
    before = member.copy()
    try:
        return member.decompress(data, MOST_BYTES + 1), False
    except zlib.error:
        parts: list[bytes] = []
        with suppress(zlib.error):
            # A list keeps what it got before an error.
            parts.extend(before.decompress(data[at : at + 1], MOST_BYTES + 1) for at in range(len(data)))
        return b"".join(parts), True
