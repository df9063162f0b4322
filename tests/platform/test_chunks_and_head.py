"""Bodies in chunks, compressed bodies and HEAD, as proxies and clients send them."""

import gzip
import zlib
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest

from accounts.models import User
from botpenguin.platform.models import Bot, Contact
from tests.pages import PRIVATE_PAGES
from tests.platform.calls import NOBODY, Caller, contact_of
from tests.test_project import routes

pytestmark = pytest.mark.matrix

IMPORT = "/inbox/users/import"
MIB = 1024 * 1024
CODED = "The body is compressed ({}), which this API does not read. Send it as it is."


class Wire(BytesIO):
    """What a server passes: the chunks one by one, then nothing."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self.chunks = iter(chunks)
        self.rest = b""

    def read(self, size: int | None = -1) -> bytes:
        self.rest = self.rest or next(self.chunks, b"")
        read, self.rest = self.rest[:size], self.rest[size:]
        return read


class BrokenWire(BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError


def send_chunks(caller: Caller, method: str, path: str, wire: Any, coding: str = "chunked") -> Any:
    return caller.http.generic(
        method,
        f"/api/v7{path}",
        content_type="application/json",
        headers=caller.headers | {"Transfer-Encoding": coding},
        **{"wsgi.input": wire},
    )


CHUNKS = {
    "one": [b'{"page": 2}'],
    "two": [b'{"page":', b" 2}"],
    "bytes": [bytes([each]) for each in b'{"page": 2}'],
    "inside of a letter": [b'{"page": 2, "searchText": "\xc3', b'\x9cber"}'],
    "a byte order mark": [b"\xef\xbb", b'\xbf{"page": 2}'],
    "blanks after": [b'{"page": 2}', b" " * 1000, b"\n"],
    "large": [b'{"page": 2', b" " * 500_000, b" " * 500_000 + b"}"],
    "none": [],
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_a_body_in_chunks_is_read(as_alice: Caller, asha: Contact, chunks: list[bytes]) -> None:
    answer = send_chunks(as_alice, "POST", "/inbox/users", Wire(chunks))

    assert answer.status_code == 200
    assert len(answer.json()["data"]) == (0 if chunks else 1)


@pytest.mark.parametrize("coding", ["chunked", "Chunked", " chunked "])
def test_an_import_in_chunks_is_imported(as_alice: Caller, coding: str) -> None:
    wire = Wire([b'[{"profile": {"userDetails":', b' {"userProvidedName": "Asha"}}}]'])

    answer = send_chunks(as_alice, "POST", IMPORT, wire, coding)

    assert answer.status_code == 201
    assert Contact.objects.get().name == "Asha"


@pytest.mark.parametrize(
    "chunks", [[b'[{"profile": {"userDetails": {"userProvidedName": "Asha"}}},'], [b'[{"p'], [b"["]]
)
def test_a_body_whose_last_chunk_never_came_changes_nothing(as_alice: Caller, chunks: list[bytes]) -> None:
    answer = send_chunks(as_alice, "POST", IMPORT, Wire(chunks))

    assert answer.status_code == 400
    assert answer.json()["data"][0].startswith("The body is not JSON")
    assert not Contact.objects.exists()


def test_a_body_in_chunks_may_have_a_mebibyte(as_alice: Caller) -> None:
    taken = send_chunks(as_alice, "POST", "/inbox/users", Wire([b"{", b" " * (MIB - 2), b"}"]))
    wire = Wire([b"{", *[b" " * 65536] * 1000])
    refused = send_chunks(as_alice, "POST", "/inbox/users", wire)

    assert (taken.status_code, refused.status_code) == (200, 413)
    assert refused.json()["data"] == ["The request body is too large. Send less at once."]
    assert refused["Connection"] == "close"
    # The rest of it is not read.
    assert len(list(wire.chunks)) > 900


def test_a_connection_that_breaks_between_chunks_is_answered_in_the_envelope(as_alice: Caller) -> None:
    answer = send_chunks(as_alice, "POST", "/inbox/users", BrokenWire())

    assert (answer.status_code, answer["Connection"]) == (400, "close")
    assert answer.json()["data"] == ["The request body was cut off on its way. Send it again."]


def test_a_report_in_chunks_is_bounded_like_others(as_alice: Caller) -> None:
    answer = send_chunks(as_alice, "POST", "/token/report-exposed", Wire([b'{"tokens": ["', b"x" * 20_000, b'"]}']))

    assert answer.status_code == 413


BODY = b'{"page": 1}'
COMPRESSED = {
    "gzip": (gzip.compress(BODY), {"Content-Encoding": "gzip"}, "gzip"),
    "GZIP": (gzip.compress(BODY), {"Content-Encoding": "GZIP"}, "gzip"),
    "x-gzip": (gzip.compress(BODY), {"Content-Encoding": "x-gzip"}, "x-gzip"),
    "deflate": (zlib.compress(BODY), {"Content-Encoding": "deflate"}, "deflate"),
    "brotli": (b"\x0b\x05\x80" + BODY + b"\x03", {"Content-Encoding": "br"}, "br"),
    "zstd": (b"\x28\xb5\x2f\xfd", {"Content-Encoding": "zstd"}, "zstd"),
    "twice": (gzip.compress(gzip.compress(BODY)), {"Content-Encoding": "gzip, gzip"}, "gzip"),
    "unannounced": (gzip.compress(BODY), {}, "gzip"),
    "announced, not done": (BODY, {"Content-Encoding": "gzip"}, "gzip"),
    "a long name": (BODY, {"Content-Encoding": "x" * 500}, "x" * 40),
}


@pytest.mark.parametrize(("body", "headers", "coding"), COMPRESSED.values(), ids=COMPRESSED)
def test_a_compressed_body_is_415(as_alice: Caller, body: bytes, headers: dict[str, str], coding: str) -> None:
    answer = as_alice.send_text("POST", "/inbox/users", body, **headers)

    assert answer.status_code == answer.json()["code"] == 415
    assert answer.json()["data"] == [CODED.format(coding)]


def test_a_body_that_its_way_compressed_is_415(as_alice: Caller) -> None:
    answer = send_chunks(as_alice, "POST", "/inbox/users", Wire([gzip.compress(BODY)]), "gzip, chunked")

    assert answer.status_code == 415
    assert answer.json()["data"] == [CODED.format("gzip")]


@pytest.mark.parametrize("coding", ["identity", "", "Identity"])
def test_a_body_that_is_said_not_to_be_compressed_is_read(as_alice: Caller, coding: str) -> None:
    answer = as_alice.send_text("POST", "/inbox/users", BODY, **{"Content-Encoding": coding})

    assert answer.status_code == 200


READ = ["/token", "/bots", "/bots/{bot}", "/inbox/segments", "/inbox/users/{contact}", "/whatsapp-automation"]
NOWHERE = [f"/bots/{NOBODY}", f"/inbox/users/{NOBODY}", "/nothing", "/bots?page=x"]


@pytest.mark.parametrize("path", [*READ, *NOWHERE, "/openapi.json", "/docs"])
def test_head_answers_like_get_wherever_get_does(as_alice: Caller, alice: User, path: str) -> None:
    ids = {"bot": Bot.objects.create(owner=alice, name="Reception", platform="sms").pk, "contact": contact_of(alice).pk}
    ours = {"Date", "X-Request-ID", "RateLimit", "Content-Security-Policy"}

    # The first use of the token is in the second answer of `/token`.
    as_alice.send("GET", "/token")
    got = as_alice.send("GET", path.format(**ids))
    head = as_alice.send("HEAD", path.format(**ids))

    assert head.status_code == got.status_code
    assert {name: head[name] for name in head.headers if name not in ours} == {
        name: got[name] for name in got.headers if name not in ours
    }
    assert got.headers.get("Content-Length") == str(len(got.content))


@pytest.mark.parametrize("path", ["/inbox/users", IMPORT, "/token/revoke", "/inbox/users/status-update"])
def test_head_is_405_where_nothing_can_be_read(as_alice: Caller, path: str) -> None:
    answer = as_alice.send("HEAD", path)

    assert answer.status_code == 405
    assert "HEAD" not in answer["Allow"]
    # The body is not sent, but its length is.
    assert int(answer["Content-Length"]) > len("This path takes POST, not HEAD.")


def test_the_methods_of_a_path_name_head_beside_get(as_alice: Caller) -> None:
    answer = as_alice.send("DELETE", "/bots")

    assert answer["Allow"] == "GET, HEAD, POST"
    assert answer.json()["data"] == ["This path takes GET, HEAD, POST, not DELETE."]


def test_head_answers_on_every_page_that_get_opens(alice: User) -> None:
    browser = Caller("").http
    browser.force_login(alice)
    paths = [*PRIVATE_PAGES, *(route for route in routes() if "<" not in route and not route.startswith("/api/"))]

    answers = {path: (browser.get(path).status_code, browser.head(path).status_code) for path in dict.fromkeys(paths)}

    assert {path: pair for path, pair in answers.items() if pair[0] != pair[1]} == {}


def test_a_body_beside_a_length_is_read_once(as_alice: Caller) -> None:
    wire: Any = {"wsgi.input": BytesIO(b'[{"profile": {"userDetails": {"userProvidedName": "Asha"}}}]')}
    headers = as_alice.headers | {"Transfer-Encoding": "chunked", "Content-Length": "3"}

    answer = as_alice.http.generic("POST", f"/api/v7{IMPORT}", headers=headers, content_type="application/json", **wire)

    assert answer.status_code == 201
