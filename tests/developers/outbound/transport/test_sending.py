"""Responses and failures of servers: each call ends in time and is described in a sentence."""

import gzip
import json
import socket
import time
import zlib
from threading import Event
from unittest.mock import ANY

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound.recipe import Recipe, RecipeField
from developers.outbound.transport.responses import MOST_PARTS, NO_DATA, OutboundResponse
from developers.outbound.transport.sending import MOST_BYTES, send
from tests.developers.outbound.servers import LocalServer, Peer, responding, response, serving

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("loopback")]

NO_TEXT = "The response is no text, or not in the encoding that it names."
NO_NUMBER = "The response is not JSON: it holds a number that JSON does not know, or one that is too long."
NOT_IN_TIME = "The server did not finish its response within 0.5 seconds."
# A large body is searched for tokens before it is sent, which takes time.
NOT_TAKEN_IN_TIME = "The server did not finish its response within 3 seconds."
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def silent(peer: Peer) -> None:
    peer.wait_until_gone()


def one_byte_at_a_time(peer: Peer) -> None:
    peer.read_request()
    for byte in OK + b"Content-Length: 100000\r\n\r\n" + b" " * 100_000:
        peer.send(bytes([byte]))
        Event().wait(0.02)


def endless(start: bytes, more: bytes) -> object:
    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        while True:
            peer.send(more)

    return behave


def close_at_once(peer: Peer) -> None:
    peer.read_request()


def reset(peer: Peer) -> None:
    peer.read_request()
    peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    peer.connection.close()


def reset_early(peer: Peer) -> None:
    """Refuse a request while it is still being sent."""
    peer.connection.recv(1)
    peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    peer.connection.close()


def deaf(peer: Peer) -> None:
    """Read nothing, so that sending a large body blocks."""
    peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    peer.stopped.wait(20)


BOMB = gzip.compress(b"\0" * 50_000_000)
CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [
        (silent, NOT_IN_TIME),
        (one_byte_at_a_time, NOT_IN_TIME),
        (deaf, NOT_TAKEN_IN_TIME),
        (reset_early, "The server closed the connection without a response."),
        (close_at_once, "The server closed the connection without a response."),
        (reset, "The server closed the connection."),
        (responding(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "The server's response is not HTTP."),
        (
            endless(b"HTTP/1.1 200 OK\r\n", b"X-More: more\r\n" * 999),
            "The headers of the response do not end: over 100 KB came.",
        ),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), NOT_IN_TIME),
    ],
    ids=[
        *("silent", "drips", "deaf", "resets-early", "closes", "resets", "ssh", "endless-headers", "endless-1xx"),
    ],
)
def test_what_goes_wrong_out_there_ends_in_time_and_in_a_sentence(
    alice: User, settings: Settings, behaviour: object, problem: str
) -> None:
    # A busy machine may respond slowly.
    settings.OUTBOUND_SECONDS = {NOT_IN_TIME: 0.5, NOT_TAKEN_IN_TIME: 3}.get(problem, 30)
    body = json.dumps("x" * 90_000)
    with LocalServer(behaviour) as server:  # type: ignore[arg-type]
        began_at = time.monotonic()
        if behaviour in (deaf, reset_early):
            # More than the buffers of both sockets hold.
            received = send_large(server, alice)
        else:
            received = send(Recipe("POST", server.url, body=body), owner=alice)
        seconds = time.monotonic() - began_at

    assert (received.status, received.problem) == (None, problem)
    assert received.seconds <= seconds < 20


def send_large(server: LocalServer, owner: User) -> OutboundResponse:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("developers.outbound.validation.LONGEST_BODY", 50_000_000)
        return send(Recipe("POST", server.url, body=json.dumps("x " * 3_000_000)), owner=owner)


@pytest.mark.parametrize(
    "behaviour",
    [
        endless(OK + b"Content-Length: 1000000000\r\n\r\n", b"x" * 65536),
        endless(OK + b"\r\n", b"x" * 65536),
        endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK),
        responding(OK + b"Content-Encoding: gzip\r\n\r\n" + BOMB),
        responding(OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"\0" * 50_000_000)),
    ],
    ids=["length", "no-length", "chunks", "gzip-bomb", "deflate-bomb"],
)
def test_no_more_is_read_or_unpacked_than_fits(alice: User, behaviour: object) -> None:
    with LocalServer(behaviour) as server:  # type: ignore[arg-type]
        received = send(Recipe("GET", server.url), owner=alice)

    assert (received.status, received.problem, received.is_cut, received.size) == (200, None, True, MOST_BYTES)
    assert len(received.body) == MOST_BYTES
    assert received.data is NO_DATA
    assert received.unreadable == "The response is longer than 1 MiB and was cut, so it is not read."


def test_a_response_of_the_largest_size_is_whole(alice: User) -> None:
    text = json.dumps("x" * (MOST_BYTES - 2)).encode()
    with serving(response(gzip.compress(text), "Content-Encoding: gzip")) as server:
        received = send(Recipe("GET", server.url), owner=alice)

    assert (received.is_cut, received.size, received.data) == (False, MOST_BYTES, json.loads(text))


@pytest.mark.parametrize(
    ("body", "header", "text", "data", "unreadable"),
    [
        (b'{"a": 1}', "application/json", '{"a": 1}', {"a": 1}, ""),
        (b"null", "application/json", "null", None, ""),
        (b'\xef\xbb\xbf{"a": "\xc3\xa9"}', "application/json", '{"a": "é"}', {"a": "é"}, ""),
        ('{"a": "é"}'.encode("latin-1"), "application/json; charset=ISO-8859-1", '{"a": "é"}', {"a": "é"}, ""),
        ('{"a": "é"}'.encode("utf-16"), "application/json", '{"a": "é"}', {"a": "é"}, ""),
        (b'{"a": 1', "application/json", '{"a": 1', NO_DATA, "The response is not JSON: see line 1, column 8."),
        (b"<html>", "text/html", "<html>", NO_DATA, "The response is not JSON: see line 1, column 1."),
        (b"[NaN]", "", "[NaN]", NO_DATA, NO_NUMBER),
        (b"[" * 100_000, "", "[" * 100_000, NO_DATA, "The response is JSON that is nested too deeply."),
        (b"[" + b"[]," * MOST_PARTS, "", ANY, NO_DATA, "The response has too many lists and objects to be read."),
        (b"", "application/json", "", NO_DATA, "The response is empty."),
        (b"\xff\xfd\x00", "image/png", None, NO_DATA, NO_TEXT),
        (b"a\0b", "text/plain", None, NO_DATA, NO_TEXT),
        (b"\xff", "text/plain; charset=punycode", None, NO_DATA, NO_TEXT),
        (b"x", "text/plain; charset=cp1259", None, NO_DATA, NO_TEXT),
    ],
)  # fmt: skip
def test_responses_are_read_in_their_encoding(  # noqa: PLR0913 - one row of the table
    alice: User, *, body: bytes, header: str, text: str | None, data: object, unreadable: str
) -> None:
    with serving(response(body, f"Content-Type: {header}")) as server:
        received = send(Recipe("GET", server.url), owner=alice)

    assert (received.text, received.data, received.unreadable) == (text, data, unreadable)
    assert (received.body, received.size) == (body, len(body))


def test_a_call_is_sent_as_it_was_set_up(alice: User) -> None:
    parameters = (RecipeField("q", "x&y=z é"), RecipeField("empty", ""))
    headers = (RecipeField("X-Name", " Zoë "), RecipeField("accept", "text/csv"))
    with serving(response(b"{}", status="201 Made it").replace(b"\r\n", b"\r\nX-Raw: caf\xe9\r\n", 1)) as server:
        recipe = Recipe("PUT", f"{server.url}/a%20b/é", parameters, headers, '{"a": 1}')
        received = send(recipe, owner=alice)

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "PUT /a%20b/%C3%A9?q=x%26y%3Dz%20%C3%A9&empty= HTTP/1.1"
    assert sorted(lines, key=str.lower) == [
        "accept-encoding: gzip, deflate",
        "accept: text/csv",
        "connection: close",
        "Content-Length: 8",
        "content-type: application/json",
        f"Host: 127.0.0.1:{server.port}",
        "user-agent: BotPenguin",
        "X-Name: Zoë",
    ]
    assert body == b'{"a": 1}'
    assert (received.status, received.reason, received.explanation) == (
        201,
        "Made it",
        "The server has created something new.",
    )
    assert received.is_success
    assert ("X-Raw", "café") in received.headers
    assert received.problem is None


def test_nothing_is_nothing_packed_or_not(alice: User) -> None:
    with serving(response(b"", "Content-Encoding: gzip")) as server:
        received = send(Recipe("GET", server.url), owner=alice)

    assert (received.status, received.text, received.unreadable) == (200, "", "The response is empty.")
