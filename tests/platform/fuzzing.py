"""Requests that no client should make, as a server hands them to the WSGI application.

Each is made of a seed and a number alone, so that one that fails can be made again.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import quote

from botpenguin.platform.api import direct
from botpenguin.platform.api.samples import Call
from tests.platform.calls import BASE

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND")
ODD_METHODS = ("", "get", "Post", "GET ", "G\0T", "M-SEARCH", "É", "A" * 300)
ODD_PIECES = (
    *(
        "",
        "\0",
        "\n",
        "\r\n",
        "\x7f",
        " ",
        "\t",
        "/",
        "//",
        "..",
        "%",
        "%00",
        "%ff",
        "\xff",
        "\xc3\xa9",
        "\xed\xa0\x80",
    ),
    *(
        "\u2028".encode().decode("latin-1"),
        "a" * 5_000,
        "\\",
        '"',
        "'",
        ";",
        ",",
        "=",
        "&",
        "?",
        "#",
        "{}",
        "[]",
        "<b>",
    ),
)
ODD_NUMBERS = ("", "0", "-1", "1e3", " 7 ", "+5", "0x10", "9" * 25, "9" * 5_000, "1_0", "\xb2", "nan", "7, 7")
HOSTS = ("testserver", "testserver:80", "localhost", "127.0.0.1:8000", "[::1]")
ODD_HOSTS = ("", "wrong.example", "testserver:port", "a b", "[::1", "\xe9", "testserver, other", "." * 300, "user@host")
ADDRESSES = ("127.0.0.1", "::1", "203.0.113.9", "2001:db8::1", "::ffff:192.0.2.1", "", "unix:", "fe80::1%eth0")
TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "multipart/form-data; boundary=x",
    "a/b+json",
)
PLAIN = (
    "\0",
    "\ud800",
    "\U0001f427",
    "é",
    "a" * 3_000,
    "null",
    "2026-11-24T12:00:00Z",
    "447700900123",
    "x@example.com",
)
NUMBERS = (0, -1, 1.5, 10**30, -(10**400), float("nan"), float("inf"), 2**63, 1e308)
RAW = (
    *(
        b"",
        b"{",
        b"null",
        b'"',
        b"[]",
        b"\xff",
        b'{"a": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        b'{"page": 1, "page": "x"}',
    ),
    *(
        b'{"a": 1e999}',
        b"[" * 2_000,
        b'{"a":' * 2_000,
        "{}".encode("utf-16"),
        b'{"a": ' + b"1" * 5_000 + b"}",
        b"\0" * 64,
    ),
)


class BrokenInput(BytesIO):
    """A body whose client goes away once so much has been read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if not (piece := super().read(size)):
            raise OSError("the client has gone")
        return piece


@dataclass(frozen=True)
class Known:
    """What a request can be made of: the calls of the document, ids of objects that exist, and a token."""

    calls: Sequence[Call]
    ids: Sequence[str]
    token: str


class Fuzzer:
    """Makes the request of one number."""

    def __init__(self, known: Known, seed: int, number: int) -> None:
        self.known = known
        self.random = Random(f"{seed}/{number}")  # noqa: S311 - not for secrets

    def environ(self) -> dict[str, Any]:
        call = self.random.choice(self.known.calls)
        path, _, query = call.path.partition("?")
        environ = {
            "GATEWAY_INTERFACE": "CGI/1.1",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": self.one_of(("HTTP/1.1", "HTTP/1.1", "HTTP/2", "HTTP/1.0")),
            "SERVER_SOFTWARE": "Granian",
            "REMOTE_ADDR": self.one_of(ADDRESSES),
            "REQUEST_METHOD": self.mostly(call.method, METHODS, ODD_METHODS),
            "PATH_INFO": self.path(path),
            "QUERY_STRING": self.query(query),
            "wsgi.errors": sys.stderr,
            "wsgi.input_terminated": True,
            "wsgi.multiprocess": False,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.url_scheme": self.one_of(("http", "http", "https")),
            "wsgi.version": (1, 0),
        }
        return environ | self.body_of(call) | dict(self.headers())

    def chance(self, percent: int) -> bool:
        return self.random.random() * 100 < percent

    def one_of(self, choices: Sequence[Any]) -> Any:
        return self.random.choice(choices)

    def mostly(self, usual: str, others: Sequence[str], odd: Sequence[str]) -> str:
        chance = self.random.random()
        if chance < 0.7:
            return usual
        return str(self.one_of(others if chance < 0.9 else odd))

    def damaged(self, text: str) -> str:
        """Insert, drop or repeat a piece at a random place."""
        at = self.random.randrange(len(text) + 1)
        to = self.random.randrange(at, len(text) + 1)
        middle: str = self.one_of((self.one_of(ODD_PIECES), "", text[at:to] * 2))
        return text[:at] + middle + text[to:]

    def path(self, path: str) -> str:
        chance = self.random.random()
        if chance < 0.1:
            return str(self.one_of((direct.TOKEN, direct.CHECK)))
        if chance < 0.8:
            return path
        if chance < 0.9:
            return f"{BASE}/{self.damaged(path.removeprefix(BASE))}"
        return "/api/" + "".join(self.one_of(ODD_PIECES) for _ in range(self.random.randrange(4)))

    def query(self, query: str) -> str:
        if self.chance(70):
            return query
        names = ("page", "botId", "limit", "searchText", "createdAt", "apiKey", *ODD_PIECES)
        values = (*ODD_NUMBERS, *ODD_PIECES, *self.known.ids[:3])
        pairs = [f"{self.one_of(names)}={self.one_of(values)}" for _ in range(self.one_of((1, 1, 2, 5, 1_001)))]
        write: Callable[[str], str] = self.one_of((quote, str, self.damaged))
        return write("&".join(pairs))

    def headers(self) -> Iterator[tuple[str, str]]:
        if self.chance(97):
            yield "HTTP_HOST", self.mostly("testserver", HOSTS, ODD_HOSTS)
        if self.chance(90):
            yield "HTTP_AUTHORIZATION", self.authorization()
        others: dict[str, Sequence[str]] = {
            "HTTP_AUTHTYPE": ("Bearer", "bearer", "API-KEY", "apiKey", ""),
            "HTTP_USER_AGENT": ("curl/8", "Mozilla/5.0 (X11) Firefox/140.0", "n8n", "a\x1b[31m"),
            "HTTP_X_REQUEST_ID": ("0123456789abcdef", "a b", "x" * 200),
            "HTTP_X_FORWARDED_FOR": ("203.0.113.7", "203.0.113.7, 10.0.0.1", "for=1.2.3.4", "unknown", "," * 50),
            "HTTP_X_FORWARDED_PROTO": ("https", "http", "https, http"),
            "HTTP_X_FORWARDED_HOST": ("testserver", "wrong.example"),
            "HTTP_X_FORWARDED_PORT": ODD_NUMBERS,
            "HTTP_FORWARDED": ("for=192.0.2.60;proto=https", "for="),
            "HTTP_ACCEPT": ("*/*", "text/html", "application/json;q=0", "a*=x; a*1=y"),
            "HTTP_ACCEPT_LANGUAGE": ("de", "en;q=2", "-" * 300),
            "HTTP_ACCEPT_ENCODING": ("gzip", "identity;q=0"),
            "HTTP_CONTENT_ENCODING": ("gzip", "br"),
            "HTTP_COOKIE": ("sessionid=x; csrftoken=y", 'a="b', "=;" * 100, "sessionid=\xff"),
            "HTTP_ORIGIN": ("https://evil.example", "null"),
            "HTTP_EXPECT": ("100-continue",),
            "HTTP_IF_NONE_MATCH": ("*", '"a"'),
            "HTTP_RANGE": ("bytes=0-1",),
            "HTTP_X_HTTP_METHOD_OVERRIDE": ("DELETE",),
        }
        for name in self.random.sample(sorted(others), self.random.randrange(5)):
            value = self.one_of(others[name])
            yield name, self.damaged(value) if self.chance(30) else value

    def authorization(self) -> str:
        token, chance = self.known.token, self.random.random()
        if chance < 0.75:
            return f"Bearer {token}"
        forms: tuple[Callable[[], str], ...] = (
            lambda: token,
            lambda: f"bearer  {token} ",
            lambda: f"\tBearer\t{token}",
            lambda: f"Bearer {token}, Bearer {token}",
            lambda: f"Basic {token}",
            lambda: f"{self.one_of(ODD_PIECES)} {token}",
            lambda: self.damaged(f"Bearer {token}"),
            lambda: f"Bearer bpat_{self.random.getrandbits(276):046d}"[:58],
        )
        return str(self.one_of(forms)())

    def body_of(self, call: Call) -> dict[str, Any]:
        """Return the body and the headers that describe it, truly or not."""
        if call.body is None and self.chance(85):
            return {"wsgi.input": BytesIO()}
        body = self.body(call.body)
        described: dict[str, Any] = {"wsgi.input": BrokenInput(body) if self.chance(3) else BytesIO(body)}
        if self.chance(95):
            described["CONTENT_TYPE"] = self.mostly("application/json", TYPES, ODD_PIECES)
        chance = self.random.random()
        if chance < 0.8:
            described["CONTENT_LENGTH"] = str(len(body))
        elif chance < 0.9:
            described["HTTP_TRANSFER_ENCODING"] = self.one_of(("chunked", "Chunked", "gzip, chunked", ""))
        elif chance < 0.97:
            described["CONTENT_LENGTH"] = self.one_of((*ODD_NUMBERS, str(len(body) + 9), str(len(body) // 2)))
        return described

    def body(self, example: Any) -> bytes:
        chance = self.random.random()
        if chance < 0.25:
            return json.dumps(example).encode()
        if chance < 0.8:
            text = json.dumps(self.mutated(example), ensure_ascii=self.chance(70))
            return text.encode("utf-8", "surrogatepass")
        if chance < 0.9:
            return bytes(self.one_of(RAW))
        return self.damaged(json.dumps(example)).encode("latin-1", "replace")

    def mutated(self, value: Any) -> Any:
        """Exchange parts of a JSON value."""
        if self.chance(12):
            return self.scalar()
        match value:
            case dict() if value:
                changed = {key: self.mutated(item) for key, item in value.items() if not self.chance(4)}
                return changed | ({self.one_of((*value, *PLAIN)): self.scalar()} if self.chance(8) else {})
            case list() if value:
                return [self.mutated(item) for item in value] * self.one_of((1, 1, 1, 1, 0, 2, 60))
            case _:
                return value

    def scalar(self) -> Any:
        nested: tuple[Any, ...] = ([], {}, [[]], {"": {}}, [None] * 200, {str(key): key for key in range(150)})
        return self.one_of((None, True, *NUMBERS, *PLAIN, *ODD_PIECES, *self.known.ids, *nested))
