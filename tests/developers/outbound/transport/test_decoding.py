"""Content-Encoding and Transfer-Encoding: what is compressed in any way is read as far as it can be."""

import gzip
import zlib
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from developers.outbound.recipe import Recipe
from developers.outbound.transport.decoding import MOST_BYTES, MOST_MEMBERS, READABLE, Decoding, decode
from developers.outbound.transport.responses import NO_DATA
from developers.outbound.transport.sending import send
from tests.developers.outbound.servers import response, serving

# Without the time, which would be a part of the names of tests: each process would name them differently.
zipped = partial(gzip.compress, mtime=0)

BODY = b'{"a": "' + bytes(range(97, 123)) * 5 + b'"}'
# The responses of small compressed bodies differ: most of their bytes are Huffman codes.
SMALL = b'{"a": 1}'


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def of_members(data: bytes) -> bytes:
    return b"".join(zipped(data[start : start + 9]) for start in range(0, len(data), 9))


MORE = "More came after the end of the compressed response. It is not shown."
EARLY = "The compressed response ends too early. What came is shown."
DAMAGED = "The compressed response is damaged. What came before is shown."
NOT_COMPRESSED = "The response names the compression %s, but is not compressed. It is shown as it came."
UNKNOWN = "The response names an encoding that is not read here: %s. It is shown as it came."


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize("body", [BODY, SMALL, b"{}", b"1"], ids=["long", "short", "empty", "digit"])
@pytest.mark.parametrize(
    ("named", "compress", "notes"),
    [
        (["gzip"], gzip.compress, ()),
        (["X-GZip"], gzip.compress, ()),
        (["gzip"], of_members, ()),
        (["gzip"], lambda body: of_members(body) + b"\0" * 999, ()),
        (["gzip"], lambda body: zipped(body) + b"garbage", (MORE,)),
        (["gzip"], lambda body: zipped(body) + zipped(b"")[:12], (MORE,)),
        (["deflate"], zlib.compress, ()),
        (["deflate"], raw, ()),
        (["deflate"], lambda body: zlib.compress(body) + b"garbage", (MORE,)),
        (["deflate"], lambda body: raw(body) + b"\0garbage", (MORE,)),
        (["deflate"], gzip.compress, ()),
        (["gzip, gzip"], lambda body: zipped(zipped(body)), ()),
        (["deflate", "gzip"], lambda body: zipped(zlib.compress(body)), ()),
        (["identity, gzip"], gzip.compress, ()),
        (["utf-8", "gzip"], gzip.compress, (UNKNOWN % "utf-8",)),
        (["gzip", "utf-8"], gzip.compress, (UNKNOWN % "utf-8",)),
        ([""], bytes, ()),
        ([","], bytes, ()),
        (["none"], bytes, ()),
        (["Identity"], bytes, ()),
        (["utf-8"], bytes, (UNKNOWN % "utf-8",)),
        (["foo"], bytes, (UNKNOWN % "foo",)),
        (["br"], bytes, (UNKNOWN % "br",)),
        (["gzip"], bytes, (NOT_COMPRESSED % "gzip",)),
        (["deflate"], bytes, (NOT_COMPRESSED % "deflate",)),
        (["gzip, gzip"], gzip.compress, (NOT_COMPRESSED % "gzip",)),
        (["gzip, gzip, gzip"], bytes, (NOT_COMPRESSED % "gzip",)),
        (["gzip"] * 6, bytes, (UNKNOWN % "gzip, gzip, gzip, gzip, gzip, gzip",)),
    ],
)
def test_a_body_is_read_in_its_encoding(
    named: list[str], compress: Callable[[bytes], bytes], notes: tuple[str, ...], body: bytes
) -> None:
    with serving(response(compress(body), *(f"Content-Encoding: {name}" for name in named))) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.status, received.body, received.text) == (200, body, body.decode())
    assert (received.notes, received.problem, received.is_cut) == (notes, None, False)
    assert received.data is not NO_DATA


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(
    ("named", "sent", "most", "problem"),
    [
        ("gzip", zipped(BODY)[:-9], len(BODY), EARLY),
        ("gzip", zipped(BODY)[:-1], len(BODY), EARLY),
        ("gzip", zipped(BODY)[:10], 0, EARLY),
        ("gzip", zipped(BODY) + zipped(b"more")[:-2], len(BODY) + 4, EARLY),
        ("gzip", zipped(BODY)[:-8] + bytes(8), len(BODY), DAMAGED),
        ("gzip", b"\x1f\x8b\x08\xff" + bytes(99), 0, DAMAGED),
        ("deflate", zlib.compress(BODY)[:-4] + b"abcd", len(BODY), DAMAGED),
        ("deflate", zlib.compress(BODY)[:20], len(BODY), EARLY),
        ("deflate", raw(BODY)[:-1], len(BODY), EARLY),
        ("gzip, gzip", zipped(zipped(BODY)[:-9]), len(BODY), EARLY),
    ],
)
def test_of_damaged_data_what_can_be_decompressed_is_shown(named: str, sent: bytes, most: int, problem: str) -> None:
    with serving(response(sent, f"Content-Encoding: {named}")) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.status, received.problem, received.data) == (200, problem, NO_DATA)
    assert received.body[: len(BODY)] == BODY[: len(received.body)]
    assert min(most, 1) <= len(received.body) <= most


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(
    ("named", "names"),
    [("br", "br"), ("zstd", "zstd"), ("gzip, br", "br"), ("compress", "compress"), ("foo, dcb", "foo, dcb")],
)
def test_of_an_encoding_that_is_not_read_the_size_is_shown(named: str, names: str) -> None:
    with serving(response(b"\x8b\x03\x80\xff" * 512, f"Content-Encoding: {named}")) as server:
        received = send(Recipe("POST", server.url, body="{}"), owner=1)

    assert (received.status, received.size, received.text, received.problem) == (200, 2048, None, None)
    assert received.unreadable == f"The response has the encoding {names}, which is not read here. 2.0 KB came."
    assert b"accept-encoding: gzip, deflate\r\n" in server.requests[0]


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize("coding", ["gzip, chunked", "chunked, gzip", "gzip", "deflate"])
def test_a_transfer_may_be_compressed_too(coding: str) -> None:
    data = (zlib.compress if coding == "deflate" else gzip.compress)(BODY)
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data) if "chunked" in coding else data
    with serving(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n".encode() + body) as server:
        received = send(Recipe("GET", server.url), owner=1)

    assert (received.body, received.problem, received.notes) == (BODY, None, ())


def test_no_layer_decompresses_more_than_the_limit() -> None:
    zeros = bytes(30 * MOST_BYTES)
    decoding = Decoding()

    body = b"".join(decode([zipped(zipped(zeros))], ["gzip", "gzip"], decoding))
    hidden = b"".join(decode([zipped(zeros)], ["gzip", "gzip"], decoding))

    assert MOST_BYTES < len(body) <= 2 * MOST_BYTES
    # Not compressed again, so it is a body, and a reader stops at the limit.
    assert MOST_BYTES < len(hidden) <= 2 * MOST_BYTES


def test_compressed_data_without_content_is_not_read_for_ever() -> None:
    decoding = Decoding()
    nothing = [zipped(b"")[:10], *[b"\0\0\0\xff\xff" * 20_000] * 1_000]
    left = iter(nothing)

    assert b"".join(decode(left, ["gzip"], decoding)) == b""

    assert decoding.problem == "The response is compressed, and cannot be decompressed."
    assert len(list(left)) > 900


def test_nothing_is_read_after_the_end_of_what_is_compressed() -> None:
    decoding = Decoding()
    left = iter([zipped(BODY) + b"garbage", b"more", b"and more"])

    assert b"".join(decode(left, ["gzip"], decoding)) == BODY

    assert (decoding.notes, list(left)) == ([MORE], [b"and more"])


def test_more_members_than_a_tool_writes_are_not_read() -> None:
    decoding = Decoding()

    body = b"".join(decode([zipped(b"x") * (MOST_MEMBERS + 9)], ["gzip"], decoding))

    assert (body, decoding.problem, decoding.notes) == (b"x" * MOST_MEMBERS, "", [MORE])


@settings(max_examples=60)
@given(st.binary(max_size=300), st.lists(st.sampled_from(READABLE), max_size=5), st.integers(1, 90), st.booleans())
def test_any_body_in_any_pieces_comes_back(data: bytes, names: list[str], size: int, is_raw: bool) -> None:
    packed = data
    for name in names:
        packed = zipped(packed) if name != "deflate" else (raw if is_raw else zlib.compress)(packed)
    decoding = Decoding()

    body = b"".join(decode((packed[at : at + size] for at in range(0, len(packed), size)), names, decoding))

    assert (body, decoding) == (data, Decoding())


@settings(max_examples=60)
@given(st.binary(max_size=200), st.lists(st.sampled_from([*READABLE, "br", "foo"]), max_size=3), st.integers(1, 90))
def test_no_bytes_whatever_raise(data: bytes, names: list[str], size: int) -> None:
    damaged = zipped(data)[: len(data)] + data

    for sent in (data, damaged, zlib.compress(data) + data):
        body = b"".join(decode((sent[at : at + size] for at in range(0, len(sent), size)), names, Decoding()))

        assert isinstance(body, bytes)
