"""Responses that break the rules: status and headers are shown, the body as far as it goes, and a sentence."""

import socket
import zlib
from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from developers.outbound.recipe import Recipe
from developers.outbound.transport.heads import LONGEST_HEAD, HeadReader
from developers.outbound.transport.responses import NO_DATA
from developers.outbound.transport.sending import send
from tests.developers.outbound.servers import LocalServer, Peer, serving

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("loopback")]

HEADERS = "Some headers break the rules of HTTP. They are shown as far as they can be read."
TWICE = "The response names Transfer-Encoding: chunked more than once. Its chunks were read once."
LENGTHS = "The response names several lengths. It was read to its end."
INCOMPLETE = "The server closed the connection before its response was complete."
DAMAGED = "The chunks of the response are damaged. What came before is shown."
NO_CHUNKS = "The response does not come in the chunks that it names. It is shown as it came."
NOT_HTTP = "The server's response is not HTTP."
NO_RESPONSE = "The server closed the connection without a response."
OK = b"HTTP/1.1 200 OK\r\n"
BODY = b'{"a": 1}'
LENGTH = b"Content-Length: 8\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"3\r\n" + BODY[:3] + b"\r\n5;x=y\r\n" + BODY[3:] + b"\r\n0\r\n"
FOLDED = [("X-A", "one two three")]


@pytest.mark.parametrize(
    ("lines", "headers", "notes"),
    [
        (b"X-A : b", [("X-A", "b")], (HEADERS,)),
        (b"X-A\t: b", [("X-A", "b")], (HEADERS,)),
        (b"X A: b", [("X A", "b")], (HEADERS,)),
        (b"no colon here", [("no", "colon here")], (HEADERS,)),
        (b"alone", [("alone", "")], (HEADERS,)),
        (b": b", [("", "b")], (HEADERS,)),
        (b"  X-A: b", [("X-A", "b")], (HEADERS,)),
        (b"X-A: one\r\n two\r\n\tthree", FOLDED, ()),
        (b"X-A: one\r\n  two \r\n three", FOLDED, ()),
        (b"X-A: caf\xe9", [("X-A", "café")], ()),
        (b"X-A: caf\xc3\xa9", [("X-A", "café")], ()),
        (b"X-\xd0\xb6: b", [("X-ж", "b")], (HEADERS,)),
        (b"X-\xe9: b", [("X-é", "b")], (HEADERS,)),
        (b"X-A: a\0b", [("X-A", "a�b")], (HEADERS,)),
        (b"X-A: a\x01\x0b\x7fb", [("X-A", "a���b")], (HEADERS,)),
        (b"X-A: a\rX-B: b", [("X-A", "a�X-B: b")], (HEADERS,)),
        (b"X-A: a\nX-B: b", [("X-A", "a"), ("X-B", "b")], ()),
        (b"X-A:", [("X-A", "")], ()),
        (b"X-A: " + b"x" * 90_000, [("X-A", "x" * 90_000)], ()),
        (b"Set-Cookie: a=b\r\nSet-Cookie: a=c", [("Set-Cookie", "a=b"), ("Set-Cookie", "a=c")], ()),
        (b"X-A: a: b:c", [("X-A", "a: b:c")], ()),
    ],
)
def test_headers_are_shown_as_far_as_they_can_be_read(
    lines: bytes, headers: list[tuple[str, str]], notes: tuple[str, ...]
) -> None:
    with serving(OK + lines + b"\r\n" + LENGTH + b"\r\n" + BODY) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.status, received.reason, received.data) == (200, "OK", {"a": 1})
    assert list(received.headers) == [*headers, ("Content-Length", "8")]
    assert (received.notes, received.problem) == (notes, None)


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 200", 200, ""),
        (b"HTTP/1.1 200 ", 200, ""),
        (b"HTTP/1.1  201   Made", 201, "Made"),
        (b"HTTP/1.0 404 Not Found", 404, "Not Found"),
        (b"http/1.1 200 ok", 200, "ok"),
        (b"HTTP/2 200", 200, ""),
        (b"HTTP/1.1 200OK", 200, "OK"),
        (b"HTTP/1.1 999 Request denied", 999, "Request denied"),
        (b"HTTP/1.1 200 Gr\xc3\xb6\xc3\x9fe", 200, "Größe"),
        (b"HTTP/1.1 200 Gr\xf6\xdfe", 200, "Größe"),
        (b"HTTP/1.1 200 O\0K", 200, "O�K"),
        (b"\r\n\r\nHTTP/1.1 200 Later", 200, "Later"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nX : y\r\n\r\nHTTP/1.1 202 Last", 202, "Last"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c", 101, "Switching Protocols"),
    ],
)
def test_a_status_line_is_read_with_or_without_its_parts(line: bytes, status: int, reason: str) -> None:
    with serving(line + b"\r\n" + LENGTH + b"\r\n" + BODY) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.status, received.reason, received.data) == (status, reason, {"a": 1})
    assert (received.headers[-1], received.problem) == (("Content-Length", "8"), None)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_a_status_without_a_body_has_none(status: bytes) -> None:
    with serving(b"HTTP/1.1 " + status + b"\r\nContent-Encoding: deflate\r\n" + LENGTH + b"\r\n" + BODY) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.status, received.body, received.problem) == (int(status[:3]), b"", None)
    assert received.unreadable == "The response is empty."


@pytest.mark.parametrize(
    ("framing", "body", "notes"),
    [
        (b"", BODY, ()),
        (LENGTH, BODY + b"more", ()),
        (b"Content-Length: 8\r\n" * 2, BODY, ()),
        (b"Content-Length: 8, 8\r\n", BODY, ()),
        (b"Content-Length: 3\r\nContent-Length: 8\r\n", BODY, (LENGTHS,)),
        (b"Content-Length: 8\r\nContent-Length: 3\r\n", BODY, (LENGTHS,)),
        (b"Content-Length: 9, 3\r\n", BODY, (LENGTHS,)),
        *((b"Content-Length: " + wrong + b"\r\n", BODY, ()) for wrong in (b"-1", b"abc", b"", b"8x", b"9" * 30)),
        (b"Content-Length : 8\r\n", BODY + b"more", (HEADERS,)),
        (CHUNKED, CHUNKS + b"\r\n", ()),
        (CHUNKED + b"Content-Length: 3\r\n", CHUNKS + b"\r\n", ()),
        (b"Transfer-Encoding: Chunked, chunked\r\n", CHUNKS + b"\r\n", (TWICE,)),
        (CHUNKED * 2, CHUNKS + b"\r\n", (TWICE,)),
        (b"Transfer-Encoding: identity\r\n", BODY, ()),
        (CHUNKED, CHUNKS + b"X-Trailer : x\r\n\r\n", ()),
        (CHUNKED, CHUNKS + b"  X-Trailer: x\r\n\r\n", ()),
        (CHUNKED, CHUNKS, ()),
        (CHUNKED, CHUNKS.replace(b"\r\n", b"\n"), ()),
        (CHUNKED, CHUNKS.replace(b"5;x=y", b" 0005 ; x=y "), ()),
        (CHUNKED, BODY, (NO_CHUNKS,)),
        (CHUNKED, BODY.replace(b" ", b"\r\n"), (NO_CHUNKS,)),
        (CHUNKED, BODY[:1] + b" " * 5_000 + BODY[1:], (NO_CHUNKS,)),
    ],
)
def test_a_body_is_whole_however_its_length_is_named(framing: bytes, body: bytes, notes: tuple[str, ...]) -> None:
    with serving(OK + framing + b"\r\n" + body) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.status, received.data) == (200, {"a": 1})
    assert (received.notes, received.problem, received.is_cut) == (notes, None, False)


@pytest.mark.parametrize(
    ("framing", "body", "text", "problem"),
    [
        (b"Content-Length: 100\r\n", BODY, '{"a": 1}', INCOMPLETE),
        (b"Content-Length: 100\r\n", b"", "", INCOMPLETE),
        (b"Content-Length: 100\r\nContent-Type: text/plain\r\n", b"caf\xc3", "caf", INCOMPLETE),
        (b"Content-Length: 100\r\n", b"\xff\x00", None, INCOMPLETE),
        (CHUNKED, CHUNKS[:18], '{"a": ', INCOMPLETE),
        (CHUNKED, b"", "", INCOMPLETE),
        (CHUNKED, b"8\r\n", "", INCOMPLETE),
        (CHUNKED, b"8;x \r\n", "", INCOMPLETE),
        (CHUNKED, b"8\r\n" + BODY + b"\r", '{"a": 1}', INCOMPLETE),
        (CHUNKED, b"8\r\n" + BODY + b"\r\n0", '{"a": 1}', INCOMPLETE),
        (CHUNKED, b"8\r\n" + BODY + b"\r\n" + b"1" * 16 + b"\r\n", '{"a": 1}', DAMAGED),
        (CHUNKED, b"8\r\n" + BODY + b"\r\n;" + b"x" * 5_000, '{"a": 1}', DAMAGED),
        (CHUNKED, b"8\r\n" + BODY + b"\r\nzz\r\nmore", '{"a": 1}', DAMAGED),
        (CHUNKED, b"8\r\n" + BODY + b"\r\nclosed connection\r\n", '{"a": 1}', DAMAGED),
        (CHUNKED, b"5\r\n" + BODY + b"\r\n0\r\n\r\n", '{"a":', DAMAGED),
    ],
)
def test_of_a_broken_body_what_came_is_shown(framing: bytes, body: bytes, text: str | None, problem: str) -> None:
    with serving(OK + framing + b"\r\n" + body) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.status, received.text, received.problem) == (200, text, problem)
    assert (received.is_cut, received.is_success, received.data) == (True, False, NO_DATA)
    assert received.unreadable == "Only a part of the response came, so it is not read."


@pytest.mark.parametrize(
    ("head", "headers"),
    [
        (OK, ()),
        (b"HTTP/1.1 200", ()),
        (OK + b"X-A: b\r\n", (("X-A", "b"),)),
        (OK + b"X-A: b\r\nX-B", (("X-A", "b"), ("X-B", ""))),
        (OK + LENGTH, (("Content-Length", "8"),)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"X-A: b", (("X-A", "b"),)),
    ],
)
def test_of_a_head_that_ends_early_what_came_is_shown(head: bytes, headers: tuple[tuple[str, str], ...]) -> None:
    with serving(head) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.status, received.headers, received.problem) == (200, headers, INCOMPLETE)


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (b"hello there", NOT_HTTP),
        (b"<html>hi</html>\r\n\r\n", NOT_HTTP),
        (b"ICY 200 OK\r\n\r\n", NOT_HTTP),
        (b"HTTP/1.1 20 OK\r\n\r\n", NOT_HTTP),
        (b"HTTP/1.1 2000 OK\r\n\r\n", NOT_HTTP),
        (b"HTTP/1.1 000 Zero\r\n\r\n", NOT_HTTP),
        (b"HTTP/1.1 OK\r\n\r\n", NOT_HTTP),
        (b"\x00\x00\x12\x04\x00", NOT_HTTP),
        (b"", NO_RESPONSE),
        (b"\r\n", NO_RESPONSE),
        (b"HTTP/1.1 100 Continue\r\n\r\n", NO_RESPONSE),
        (b"HTTP/1.1 100 Continue", NO_RESPONSE),
        (OK + b"X-A: " + b"x" * 200_000, "The headers of the response do not end: over 100 KB came."),
    ],
)
def test_what_has_no_head_is_a_problem_with_a_sentence(sent: bytes, problem: str) -> None:
    with serving(sent) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.status, received.headers, received.problem) == (None, (), problem)


def test_a_connection_that_is_reset_within_the_body_leaves_what_came() -> None:
    def reset(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK + b"Content-Length: 100\r\n\r\n" + BODY)
        peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with LocalServer(reset) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.status, received.text, received.problem) == (200, '{"a": 1}', INCOMPLETE)


def stream(*parts: bytes) -> Callable[[Peer], None]:
    """Send the parts, then the last one again and again."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"".join(parts))
        while not peer.stopped.wait(0.02):
            peer.send(parts[-1])

    return behave


PACKER = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
PACKED = [PACKER.compress(b"data: 1\n\n") + PACKER.flush(zlib.Z_SYNC_FLUSH) for _ in range(2)]


@pytest.mark.parametrize(
    "behaviour",
    [
        stream(OK + b"Content-Type: text/event-stream\r\n" + CHUNKED + b"\r\n", b"9\r\ndata: 1\n\n\r\n"),
        *(
            pytest.param(behaviour, marks=pytest.mark.release)
            for behaviour in (
                stream(OK + b"\r\n", b"data: 1\n\n"),
                stream(OK + b"Content-Length: 999999\r\n\r\n", b"data: 1\n\n"),
                stream(OK + b"Content-Length: 999999\r\n\r\ndata: 1\n\n", b""),
                stream(OK + b"Content-Encoding: gzip\r\n\r\n", *PACKED),
                stream(OK + b"Content-Encoding: deflate\r\n\r\n", b"data: 1\n\n"),
                stream(OK + b"Content-Encoding: br\r\n\r\n", b"data: 1\n\n"),
                stream(OK + CHUNKED + b"\r\n9\r\ndata: 1\n\n\r\n", b""),
            )
        ),
    ],
)
def test_of_a_stream_without_an_end_what_came_in_time_is_shown(
    settings: Settings, behaviour: Callable[[Peer], None]
) -> None:
    settings.OUTBOUND_SECONDS = 1
    with LocalServer(behaviour) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.status, received.is_cut, received.is_success, received.data) == (200, True, False, NO_DATA)
    assert received.problem == "The server did not finish its response within 1 seconds."
    assert (received.text or "").startswith("data: 1\n\n")


@pytest.mark.parametrize("size", [1, 2, 7, 50, LONGEST_HEAD])
def test_a_head_is_the_same_in_pieces_of_any_size(size: int) -> None:
    whole = b"\r\nHTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 201  Made\r\nX : y\r\nContent-Length: 8\r\n\r\n" + BODY
    reader = HeadReader()

    accepted = b"".join(reader.feed(whole[start : start + size]) for start in range(0, len(whole), size))

    assert accepted == b"HTTP/1.1 100 \r\n\r\nHTTP/1.1 201 \r\nContent-Length: 8\r\n\r\n" + BODY
    assert (reader.head.status, reader.head.headers) == (201, [(b"X", b"y"), (b"Content-Length", b"8")])
    assert reader.feed(b"") == b""
