"""Reads the head of a response, its status line and headers, also where they break the rules of HTTP.

curl and browsers accept most of what h11 refuses, such as a blank before a colon or a second Transfer-Encoding. So
h11 gets a head with only the status and the length of the body, and the rest is kept as it came. The length follows
RFC 9112, section 6.3, but a body whose lengths contradict each other is read until the server closes the connection.
`chunks` joins chunks.
"""

import re
from typing import NamedTuple

# h11 refuses an unfinished head that is longer.
LONGEST_HEAD = 100 * 1024
END = re.compile(rb"\n\r?\n")
# Also without minor version or reason, as HTTP/2 has it, and with more blanks.
STATUS_LINE = re.compile(rb"(?i)HTTP/\d(?:\.\d)?[ \t]+([1-9]\d\d)(?!\d)[ \t]*(.*)")
NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
LENGTH = re.compile(rb"\d{1,15}")
SWITCHING_PROTOCOLS = 101
# These have their final response still to come.
INFORMATIONAL = range(100, 200)


class Head(NamedTuple):
    """Status line and headers. `is_sound`: the headers keep to the rules; `is_whole`: they came to their end."""

    status: int
    reason: bytes
    headers: list[tuple[bytes, bytes]]
    is_sound: bool
    is_whole: bool

    def values(self, name: bytes) -> list[bytes]:
        """Return the parts of all headers of a name (in lower case), which commas may separate too."""
        found = [value for key, value in self.headers if key.lower() == name]
        return [part.strip() for value in found for part in value.split(b",") if part.strip()]

    @property
    def is_chunked(self) -> bool:
        return b"chunked" in [coding.lower() for coding in self.values(b"transfer-encoding")]


class HeadReader:
    """Stands between a connection and h11, and passes on what h11 accepts. `head` is set before h11 has it."""

    head: Head

    def __init__(self) -> None:
        self._unread = bytearray()
        self._searched = 0
        self._is_done = False

    def feed(self, data: bytes) -> bytes:
        """Return the bytes for h11, none if more must come first. No data: the server has closed the connection."""
        if self._is_done:
            return data
        self._unread += data
        accepted = bytearray()
        while part := self._next_head(is_end=not data):
            accepted += part
            if self._is_done:
                break
        return bytes(accepted)

    def _next_head(self, *, is_end: bool) -> bytes:
        while self._unread.startswith((b"\r", b"\n")):
            del self._unread[0]
        # The end may have begun with the last bytes that were searched.
        end = END.search(self._unread, max(self._searched - 2, 0))
        self._searched = len(self._unread)
        if not end and not is_end:
            return b"" if self._searched <= LONGEST_HEAD else self._pass_on()
        if not self._unread:
            return b""
        head = parse(bytes(self._unread[: end.end() if end else None]), is_whole=bool(end))
        if not head:
            # h11 finds out that it is not HTTP, once it sees an end.
            self._unread += b"\r\n\r\n"
            return self._pass_on()
        del self._unread[: end.end() if end else None]
        self._searched = 0
        if head.status in INFORMATIONAL and head.status != SWITCHING_PROTOCOLS:
            return b"HTTP/1.1 %d \r\n\r\n" % head.status
        self.head = head
        return for_h11(head) + self._pass_on()

    def _pass_on(self) -> bytes:
        self._is_done = True
        return bytes(self._unread)


def parse(head: bytes, *, is_whole: bool = True) -> Head | None:
    """Read a head; None if it does not begin as HTTP does."""
    first, *lines = [line.rstrip(b"\r") for line in head.split(b"\n")]
    status_line = STATUS_LINE.fullmatch(first)
    if not status_line:
        return None
    parts: list[tuple[bytes, list[bytes]]] = []
    is_sound = True
    for line in filter(None, lines):
        if line[:1] in (b" ", b"\t") and parts:
            # RFC 9112, section 5.2: a folded line.
            parts[-1][1].append(line.strip())
            continue
        # Without a colon, the first word is the name, so that the value of a secret one is masked.
        name, colon, value = line.partition(b":") if b":" in line else line.strip().partition(b" ")
        is_sound = is_sound and colon == b":" and bool(NAME.fullmatch(name) and not CONTROL.search(value))
        parts.append((name.strip(), [value.strip()]))
    headers = [(name, b" ".join(values)) for name, values in parts]
    return Head(int(status_line[1]), status_line[2].strip(), headers, is_sound, is_whole)


def for_h11(head: Head) -> bytes:
    """Write a head that h11 accepts, with the status and the length of the body."""
    # h11 reads no body after an upgrade that it did not ask for.
    status = 200 if head.status in INFORMATIONAL else head.status
    lengths = set(head.values(b"content-length"))
    length = lengths.pop() if len(lengths) == 1 else b""
    has_length = head.is_whole and not head.is_chunked and LENGTH.fullmatch(length)
    return b"HTTP/1.1 %d \r\n%s\r\n" % (status, b"Content-Length: %s\r\n" % length if has_length else b"")
