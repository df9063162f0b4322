"""What curl reads of a response is read here too: the same servers answer both."""

import gzip
import subprocess
import zlib
from pathlib import Path

import pytest

from developers.outbound.recipe import Recipe
from developers.outbound.transport.sending import send
from tests.developers.outbound.servers import LocalServer, Peer

pytestmark = pytest.mark.usefixtures("loopback")

OK = b"HTTP/1.1 200 OK\r\n"
BODY = b'{"a": [1, 2, 3]}'
LENGTH = b"Content-Length: 16\r\n"
GZIP, ZLIB, RAW = gzip.compress(BODY), zlib.compress(BODY), zlib.compress(BODY)[2:-4]
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def chunks(body: bytes, line_end: bytes = b"\r\n") -> bytes:
    return line_end.join([b"5", body[:5], b"%x" % (len(body) - 5), body[5:], b"0", b"", b""])


def encoded(encoding: bytes, body: bytes) -> bytes:
    return OK + b"Content-Encoding: " + encoding + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


WITH_HEADERS = [
    *(b"X-A : b", b"X-A\t: b", b"X A: b", b": b", b"X-A:", b"X-A: caf\xe9", b"X-A: caf\xc3\xa9", b"X-\xc3\xa9: b"),
    *(
        b"X-A: a\x01b",
        b"X-A: a\x0bb",
        b"X-A: a\rX-B: b",
        b"X-A: a\nX-B: b",
        b"X-A: a\r\n b",
        b"X-A: a\r\n\tb",
        b"no colon",
    ),
    *(b"X-A: a\0b", b"X-A: " + b"x" * 90_000, b"X-A: 1\r\nX-A: 2", b"Content-Length: 16", b"Content-Length: 3"),
]
STATUS_LINES = [
    *(
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1  200  OK",
        b"HTTP/1.0 200 OK",
        b"http/1.1 200 OK",
        b"HTTP/2 200 OK",
    ),
    *(b"HTTP/1.1 200OK", b"HTTP/1.1 200 Gr\xf6\xdfe", b"HTTP/1.1 999 No", b"HTTP/1.1 404 Not Found", b"HTTP/1.1 500"),
    *(b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 000 OK", b"HTTP/1.1 OK", b"ICY 200 OK", b"SSH-2.0-OpenSSH"),
    *(b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 205 Reset", b"HTTP/1.1 302 Found"),
    *(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made", b"HTTP/1.1 103 Hints\r\nX : a\r\n\r\nHTTP/1.1 202 Taken"),
]
BODIES = [
    *(OK + b"\r\n" + BODY, OK + LENGTH + b"\r\n" + BODY + b"more", OK + LENGTH * 2 + b"\r\n" + BODY),
    *(OK + b"Content-Length: 16, 16\r\n\r\n" + BODY, OK + b"Content-Length: 3\r\n" + LENGTH + b"\r\n" + BODY),
    *(OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + BODY, OK + b"Content-Length: +16\r\n\r\n" + BODY),
    *(OK + b"Content-Length: 16x\r\n\r\n" + BODY, OK + b"Content-Length : 16\r\n\r\n" + BODY),
    *(OK + CHUNKED + b"\r\n" + chunks(BODY), OK + CHUNKED + b"\r\n" + chunks(BODY, b"\n")),
    *(OK + CHUNKED * 2 + b"\r\n" + chunks(BODY), OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + chunks(BODY)),
    OK + CHUNKED + b"Content-Length: 3\r\n\r\n" + chunks(BODY),
    OK + CHUNKED + b"\r\n" + chunks(BODY).replace(b"5\r", b"5 ; x=y\r", 1),
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunks(GZIP),
    *(OK + b"Transfer-Encoding: gzip\r\n\r\n" + GZIP, OK + b"Transfer-Encoding: identity\r\n\r\n" + BODY),
    *(encoded(b"gzip", GZIP), encoded(b"x-gzip", GZIP), encoded(b"deflate", ZLIB), encoded(b"deflate", RAW)),
    *(encoded(b"none", BODY), encoded(b"identity", BODY), encoded(b"", BODY), encoded(b"GZIP", GZIP)),
    *(encoded(b"gzip, gzip", gzip.compress(GZIP)), encoded(b"deflate, gzip", gzip.compress(ZLIB))),
    OK + b"Content-Encoding: deflate\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(ZLIB),
]
SENT = [
    *(OK + lines + b"\r\n" + LENGTH + b"\r\n" + BODY for lines in WITH_HEADERS),
    *(line + b"\r\n" + LENGTH + b"\r\n" + BODY for line in STATUS_LINES),
    *BODIES,
]


def respond(peer: Peer) -> None:
    number = int(peer.read_request().split()[1].rpartition(b"/")[2])
    peer.send(SENT[number])


@pytest.mark.curl
def test_what_curl_reads_is_read(tmp_path: Path) -> None:
    command = [
        "curl",
        "-q",
        "-s",
        "--compressed",
        "-m",
        "20",
        "-w",
        "%{exitcode} %{http_code}\n",
        "-o",
        f"{tmp_path}/#1",
    ]
    with LocalServer(respond) as server:
        asked = subprocess.run([*command, f"{server.url}/[0-{len(SENT) - 1}]"], capture_output=True, check=False)
        received = [send(Recipe("GET", f"{server.url}/{number}"), owner=1) for number in range(len(SENT))]

    by_curl = [tuple(map(int, line.split())) for line in asked.stdout.decode().splitlines()]
    assert len(by_curl) == len(SENT)
    for number, (code, status) in enumerate(by_curl):
        if not code:
            body = (tmp_path / str(number)).read_bytes() if (tmp_path / str(number)).exists() else b""
            assert (received[number].status, received[number].problem) == (status, None), SENT[number]
            assert received[number].body == body, SENT[number]
    # What curl refuses, but for what is not HTTP, is read here too.
    refused = [received[number] for number, (code, _status) in enumerate(by_curl) if code]
    assert [each.status for each in refused if each.problem] == [None] * 6
    assert {each.body for each in refused if not each.problem} == {BODY}
