"""Bodies in chunks, of which many servers break the rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from developers.outbound.recipe import Recipe
from developers.outbound.transport.chunks import join_chunks
from developers.outbound.transport.decoding import Decoding
from developers.outbound.transport.sending import send
from tests.developers.outbound.servers import LocalServer, Peer, serving
from tests.developers.outbound.transport.test_broken_responses import BODY, CHUNKED, CHUNKS, NO_CHUNKS, OK


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(
    "body", [b"0x8\r\n" + BODY, b"-8\r\n" + BODY, b"\r\n8\r\n" + BODY, b"8\r" + BODY, b"f" * 16 + b"\r\n", b"<p>\n</p>"]
)
def test_a_body_that_names_chunks_and_has_none_is_shown_as_it_came(body: bytes) -> None:
    with serving(OK + CHUNKED + b"\r\n" + body) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.body, received.notes, received.problem) == (body, (NO_CHUNKS,), None)


@pytest.mark.usefixtures("loopback")
def test_after_the_last_chunk_nothing_is_waited_for() -> None:
    def keep_open(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK + CHUNKED + b"\r\n" + CHUNKS + b"\r\n")
        peer.wait_until_gone()

    with LocalServer(keep_open) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.data, received.problem) == ({"a": 1}, None)


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=5), st.integers(1, 40), st.sampled_from([b"\n", b"\r\n"]))
def test_chunks_in_any_pieces_are_joined(contents: list[bytes], size: int, line_end: bytes) -> None:
    sent = b"".join(b"%x" % len(content) + line_end + content + line_end for content in contents) + b"0\r\n\r\n"
    decoding = Decoding()

    joined = b"".join(join_chunks((sent[at : at + size] for at in range(0, len(sent), size)), decoding))

    assert (joined, decoding) == (b"".join(contents), Decoding())
