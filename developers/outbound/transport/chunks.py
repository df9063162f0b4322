"""Joins the chunks of a body (RFC 9112, section 7.1), as leniently as curl: lines may end without a carriage return.

h11 refuses such lines, and then keeps what came to itself.
"""

import re
from collections.abc import Iterable, Iterator

from developers.outbound.sentences import gettext as _
from developers.outbound.transport.decoding import Decoding
from developers.outbound.transport.failures import incomplete

# With extensions.
LONGEST_LINE = 4096
SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")
LINE_END = re.compile(rb"\r?\n")


def join_chunks(pieces: Iterable[bytes], decoding: Decoding) -> Iterator[bytes]:
    """Yield the content of the chunks. A body that does not begin with a chunk is yielded as it came.

    Reads nothing after the last chunk, such as trailers.
    """
    left = iter(pieces)
    chunks = _Chunks()
    for piece in left:
        yield from chunks.feed(piece)
        if chunks.is_over or chunks.is_damaged:
            break
    if chunks.is_over:
        return
    if chunks.has_begun or not chunks.unread:
        damaged = _("The chunks of the response are damaged. What came before is shown.")
        decoding.problem = decoding.problem or (damaged if chunks.is_damaged else incomplete())
        return
    decoding.notes.append(_("The response does not come in the chunks that it names. It is shown as it came."))
    yield bytes(chunks.unread)
    yield from left


class _Chunks:
    def __init__(self) -> None:
        self.unread = bytearray()
        self.has_begun = False
        self.is_damaged = False
        self.is_over = False
        self._left = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        self.unread += piece
        while self.unread and not self.is_over:
            if self._left:
                content = bytes(self.unread[: self._left])
                del self.unread[: len(content)]
                self._left -= len(content)
                yield content
            elif not self._read_size():
                return

    def _read_size(self) -> bool:
        """Read the line before a chunk; return False if there is none, or not all of it."""
        start = 0
        if self.has_begun:
            end_before = LINE_END.match(self.unread)
            if not end_before:
                self.is_damaged = self.unread != b"\r"
                return False
            start = end_before.end()
        end = self.unread.find(b"\n", start) + 1
        size = SIZE.fullmatch(self.unread, start, end) if end else None
        if not size:
            self.is_damaged = end > 0 or len(self.unread) > LONGEST_LINE
            return False
        self._left = int(size[1], 16)
        self.is_over = self._left == 0
        self.has_begun = True
        del self.unread[:end]
        return True
