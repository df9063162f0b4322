"""Servers to call: sockets on loopback that behave as a test says, and count their connections."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

Behaviour = Callable[["Peer"], None]


class Peer:
    """One connection to such a server."""

    def __init__(self, connection: socket.socket, stopped: threading.Event, requests: list[bytes]) -> None:
        self.connection = connection
        self.stopped = stopped
        self.request = b""
        self._requests = requests
        self._is_listed = False

    def list_request(self) -> None:
        """Add the request to the server's list, before the response, so that requests stand in order."""
        if self.request and not self._is_listed:
            self._requests.append(self.request)
            self._is_listed = True

    def read_request(self) -> bytes:
        while b"\r\n\r\n" not in self.request:
            self._more()
        head, _, body = self.request.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while len(body) < int(lengths[0] if lengths else 0):
            self._more()
            body = self.request.partition(b"\r\n\r\n")[2]
        self.list_request()
        return self.request

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def wait_until_gone(self) -> None:
        """Send nothing until the caller closes the connection."""
        while self.connection.recv(65536):
            continue

    def _more(self) -> None:
        received = self.connection.recv(65536)
        if not received:
            raise ConnectionError
        self.request += received


class LocalServer:
    """A listening socket. Each connection gets the behaviour, in its own thread.

    `names` are the server names of the TLS handshakes (SNI), None where there is none.
    """

    def __init__(self, behaviour: Behaviour, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.tls = tls
        if tls:
            tls.sni_callback = lambda _connection, name, _context: self.names.append(name)
        self.requests: list[bytes] = []
        self.names: list[str | None] = []
        self.connections = 0
        self._stopped = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, dualstack_ipv6=host == "::")
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        # A blocked accept does not notice a close; a connection wakes it.
        with suppress(OSError), socket.create_connection(self._listener.getsockname()[:2], 1):
            pass
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._stopped.is_set():
                connection.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._meet, args=[connection], daemon=True)
            self._threads.append(thread)
            thread.start()

    def _meet(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        with suppress(OSError), connection:
            if self.tls:
                with self.tls.wrap_socket(connection, server_side=True) as secure:
                    self._talk(secure)
            else:
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        peer = Peer(connection, self._stopped, self.requests)
        try:
            self.behaviour(peer)
        finally:
            peer.list_request()


def response(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def responding(*responses: bytes) -> Behaviour:
    """Send these responses in turn, then repeat the last one."""
    left = list(responses)

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(left.pop(0) if len(left) > 1 else left[0])

    return behave


@contextmanager
def serving(*responses: bytes, host: str = "127.0.0.1") -> Iterator[LocalServer]:
    with LocalServer(responding(*responses), host) as server:
        yield server


def resolver_of(*addresses: list[str]) -> Any:
    """Return a resolver that finds these addresses in turn, then repeats the last ones."""
    left = list(addresses)

    def resolver(host: str, port: int, **options: Any) -> list[tuple[Any, ...]]:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    return resolver
