"""The connection of one outbound call: to a checked address, within one deadline.

Uses public interfaces: httpx accepts a transport, and httpcore below it a network backend. Only the backend
here opens connections, so its checks hold for every call and every redirect. httpcore does TLS: it sends the
host of the URL as the server's name (SNI), and checks the certificate against it.
"""

import ssl
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any

import httpcore  # httpx is built on it
import httpx
from django.conf import settings

from developers.outbound.transport.addresses import Resolver, resolve
from developers.outbound.transport.heads import HeadReader
from developers.outbound.transport.responses import SentRequest

# The name under which a connection and a response hold the reader of their heads.
HEAD = "head"
# httpcore's name for the time at which it has a connection, and writes the head of a request.
SENDING = "http11.send_request_headers.started"
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Deadline:
    """The time by which a call must have ended."""

    def __init__(self, seconds: float) -> None:
        self._began_at = time.monotonic()
        self._ends_at = self._began_at + seconds

    @property
    def passed(self) -> float:
        return time.monotonic() - self._began_at

    @property
    def left(self) -> float:
        """Seconds until the deadline. Raises `httpcore.ReadTimeout` once it has passed."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left


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
                    target=request.url.raw_path,
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
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        *others, last = resolve(
            host, port, seconds=self._deadline.left, owner_id=self._owner_id, resolver=self._resolver
        )
        for position, address in enumerate(others):
            # An address that does not respond must leave time for the others.
            seconds = self._deadline.left / (len(others) + 1 - position)
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return _Stream(self._sockets.connect_tcp(str(address), port, seconds), self._deadline)
        return _Stream(self._sockets.connect_tcp(str(last), port, self._deadline.left), self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection that ends at the deadline, even if each single read or write is quick."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline
        self._reader = HeadReader()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while data := self._stream.read(max_bytes, self._deadline.left):
            if accepted := self._reader.feed(data):
                return accepted
        return self._reader.feed(b"")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # Not through the stream below, which would apply the timeout to each part of the buffer.
        connection = self._stream.get_extra_info("socket")
        unsent = memoryview(buffer)
        while unsent:
            connection.settimeout(self._deadline.left)
            try:
                unsent = unsent[connection.send(unsent) :]
            except TimeoutError as error:
                raise httpcore.WriteTimeout from error
            except OSError as error:
                raise httpcore.WriteError from error

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._reader if info == HEAD else self._stream.get_extra_info(info)
