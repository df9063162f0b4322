"""The connection of one outbound call: to a checked address, within one deadline.

Uses public interfaces: httpx accepts a transport, and httpcore below it a network backend. Only the backend
here opens connections, so its checks hold for every call and every redirect. httpcore does TLS: it sends the
host of the URL as the server's name (SNI), and checks the certificate against it.
"""

import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any

import httpcore  # httpx is built on it
import httpx
from django.conf import settings

from developers.outbound.transport.addresses import Resolver, resolve
from developers.outbound.transport.deadlines import READING, WRITING, Deadline
from developers.outbound.transport.heads import HeadReader
from developers.outbound.transport.responses import SentRequest

# The name under which a connection and a response hold the reader of their heads.
HEAD = "head"
# httpcore's name for the time at which it has a connection, and writes the head of a request.
SENDING = "http11.send_request_headers.started"
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


@cache
def public_certificates() -> ssl.SSLContext:
    """Trust the certificate authorities of certifi and of `CA_FILE`, and ignore the environment's."""
    context = httpx.create_ssl_context(trust_env=False)
    if settings.CA_FILE:
        context.load_verify_locations(settings.CA_FILE)
    return context


class Transport(httpx.BaseTransport):
    """Sends requests through connections with a deadline. Raises `UnreachableHost` and httpcore's exceptions.

    `sent` gets each request that goes out.
    """

    def __init__(
        self,
        deadline: Deadline,
        resolver: Resolver,
        ssl_context: ssl.SSLContext,
        owner_id: int,
        sent: list[SentRequest],
    ) -> None:
        self._sent = sent
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=_Backend(deadline, resolver, owner_id),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.extensions["target"],
                ),
                headers=request.headers.raw,
                content=request.content,
                extensions={"trace": self._note_sent},
            )
        )
        reader: HeadReader = response.extensions["network_stream"].get_extra_info(HEAD)
        return httpx.Response(response.status, stream=_Body(response), extensions={HEAD: reader})

    def close(self) -> None:
        self._pool.close()

    def _note_sent(self, event: str, details: dict[str, Any]) -> None:
        if event == SENDING:
            self._sent.append(_as_sent(details["request"]))


def _as_sent(request: httpcore.Request) -> SentRequest:
    # h11 writes Host first.
    headers = sorted(request.headers, key=lambda header: header[0].lower() != b"host")
    lines = tuple((name.decode("ascii"), value.decode(errors="replace")) for name, value in headers)
    return SentRequest(request.method.decode("ascii"), bytes(request.url).decode("ascii"), lines)


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Any:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline, resolver: Resolver, owner_id: int) -> None:
        self._deadline = deadline
        self._resolver = resolver
        self._owner_id = owner_id

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        deadline = self._deadline
        *others, last = resolve(
            host,
            port,
            seconds=deadline.left,
            owner_id=self._owner_id,
            resolver=self._resolver,
            cancellation=deadline.cancellation,
        )
        for position, address in enumerate(others):
            # An address that does not respond must leave time for the others.
            seconds = deadline.left / (len(others) + 1 - position)
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return _Stream(connect(str(address), port, deadline, seconds), deadline)
        return _Stream(connect(str(last), port, deadline), deadline)


class _Stream(httpcore.NetworkStream):
    """A connection that ends at the deadline, even if each single read or write is quick."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._reader = HeadReader()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while data := self._receive(max_bytes):
            if accepted := self._reader.feed(data):
                return accepted
        return self._reader.feed(b"")

    def _receive(self, max_bytes: int) -> bytes:
        connection = self._connection
        with _as_httpcore(httpcore.ReadTimeout, httpcore.ReadError):
            return self._deadline.perform(partial(connection.recv, max_bytes), connection, READING)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        connection = self._connection
        unsent = memoryview(buffer)
        with _as_httpcore(httpcore.WriteTimeout, httpcore.WriteError):
            while unsent:
                sent = self._deadline.perform(partial(connection.send, unsent), connection, WRITING)
                if self._deadline.cancellation:
                    self._deadline.cancellation.is_sent = True
                unsent = unsent[sent:]

    def close(self) -> None:
        self._connection.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        with _as_httpcore(httpcore.ConnectTimeout, httpcore.ConnectError):
            secure = ssl_context.wrap_socket(
                self._connection, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            with _closed_on_error(secure):
                self._deadline.perform(secure.do_handshake, secure, READING)
        return _Stream(secure, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object" and isinstance(self._connection, ssl.SSLSocket):
            return self._connection
        return self._reader if info == HEAD else None


def connect(address: str, port: int, deadline: Deadline, seconds: float | None = None) -> socket.socket:
    """Connect to a numeric address within `seconds`. Raises `httpcore.ConnectTimeout` or `httpcore.ConnectError`."""
    with _as_httpcore(httpcore.ConnectTimeout, httpcore.ConnectError):
        family, kind, protocol, _name, where = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )[0]
        connection = socket.socket(family, kind, protocol)
        with _closed_on_error(connection):
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Repeated until it is connected.
            deadline.perform(partial(connection.connect, where), connection, WRITING, seconds)
    return connection


@contextmanager
def _as_httpcore(timeout: type[Exception], failure: type[Exception]) -> Iterator[None]:
    """Raise these instead of the exceptions of sockets, which they have as their argument, as httpcore's own do."""
    try:
        yield
    except TimeoutError as error:
        raise timeout(error) from error
    except OSError as error:
        raise failure(error) from error


@contextmanager
def _closed_on_error(connection: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise
