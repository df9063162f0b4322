"""The gateway of `deploy/nginx/`, and stand-ins for its service and its nodes that record what reaches them."""

import http.client
import re
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.nginx import Nginx, write_certificate

SERVICE_HOST = "service.example.com"
TOKEN_CHECK = "/api/v7/token/check"
Headers = list[tuple[str, str]]
# What a client sends, and what a node answers about it.
BEARER = ("Authorization", "Bearer of-a-client")
OWNER = [("X-Auth-Account", "7"), ("X-Auth-Email", "you@example.com"), ("X-Auth-Token-Hint", "3f9a")]
CHALLENGE = 'Bearer realm="BotPenguin"'
# Files beside nginx.conf.
GUARD, CHECK = "snippets/botpenguin-guard.conf", "snippets/botpenguin-token-check.conf"


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived, and the port of the connection."""

    method: str
    path: str
    headers: Message
    body: bytes
    port: int

    def named(self, pattern: str) -> Headers:
        """Return the headers whose whole names match."""
        return [(name, value) for name, value in self.headers.items() if re.fullmatch(pattern, name, re.IGNORECASE)]


class StandIn(ThreadingHTTPServer):
    """A server that answers each request alike, and records it."""

    # Closing it waits for its threads: they end when nginx has closed its connections.
    daemon_threads = False

    def __init__(self, status: int = 200, headers: Headers | None = None, body: bytes = b"") -> None:
        super().__init__(("127.0.0.1", 0), Recorder)
        self.received: list[Received] = []
        self.answers(status, headers, body)

    def answers(self, status: int, headers: Headers | None = None, body: bytes = b"") -> None:
        self.status, self.headers, self.body = status, headers or [], body

    @property
    def port(self) -> int:
        return self.server_port

    @property
    def last(self) -> Received:
        return self.received[-1]

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class Recorder(BaseHTTPRequestHandler):
    """One connection to a stand-in."""

    protocol_version = "HTTP/1.1"
    # Head and body leave at once, as from a node.
    wbufsize = -1
    server: StandIn

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        port = self.client_address[1]
        self.server.received.append(Received(self.command, self.path, self.headers, body, port))
        self.send_response(self.server.status)
        for name, value in self.server.headers:
            self.send_header(name, value)
        if self.server.status != http.client.NO_CONTENT:
            self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.server.body)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Answer every method alike."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
        pass


class Gateway(Nginx):
    """nginx with the panel's site and the gateway's. Only ports, paths, nodes and the service differ from the files."""

    def __init__(self, folder: Path, service: int, *nodes: int) -> None:
        super().__init__(folder, *nodes)
        self.write_site("gateway.conf")
        self.change("conf.d/gateway.conf", "127.0.0.1:9000", f"127.0.0.1:{service}")
        write_certificate(folder, SERVICE_HOST)

    def send(self, method: str = "GET", path: str = "/", headers: Headers | None = None, body: bytes = b"") -> Answer:
        return send(self.http, method, path, headers or [], body)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.http, timeout=30)


def send(port: int, method: str, path: str, headers: Headers, body: bytes, address: str = "127.0.0.1") -> Answer:  # noqa: PLR0913, PLR0917
    """Send one request over plain http, with exactly these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(address, 0))
    with closing(connection):
        return exchange(connection, method, path, headers, body)


def exchange(
    connection: http.client.HTTPConnection, method: str, path: str, headers: Headers | None = None, body: bytes = b""
) -> Answer:
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", SERVICE_HOST)
    for name, value in headers or []:
        connection.putheader(name, value)
    if body and "Transfer-Encoding" not in dict(headers or []):
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    return Answer(answer.status, answer.headers, answer.read())
