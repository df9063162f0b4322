"""People, programs, slow clients and bare requests that reach a server through nginx."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests import prepared
from tests.nginx import HOST, Nginx
from tests.resilience.conftest import Serve
from tests.resilience.load import Person, Program, make_people
from tests.server import Server, write_secrets

ATTACKER, VISITOR = "127.0.0.3", "127.0.0.2"


SLOW_CLIENTS = 200


def start_nodes(serve: Serve, folder: Path) -> list[Server]:
    """Start two nodes of one process each on one database, with a person who has a token."""
    write_secrets(folder / ".env")
    settings = {
        "DATABASE_URL": prepared.database(folder),
        "ENV_FILE": str(folder / ".env"),
        "WORKERS": "1",
        "HTTPS": "on",
        "PUBLIC_URL": f"https://{HOST}",
        "TRUSTED_PROXIES": "127.0.0.1",
        # As the units have it: nginx drops idle connections to a node within it.
        "DRAIN_SECONDS": "5",
        "API_REFUSED_LIMIT": "20",
    }
    nodes = []
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / ".env").touch()
        nodes.append(serve(folder / name, **settings))
    make_people(nodes[0], 1)
    return nodes


def options(nginx: Nginx) -> dict[str, Any]:
    """How a client reaches the site."""

    def name_the_host(request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = HOST

    return {
        "verify": nginx.tls,
        "headers": {"Host": HOST, "Referer": f"https://{HOST}/"},
        "event_hooks": {"request": [name_the_host]},
    }


def visitor(nginx: Nginx, number: int = 0) -> Person:
    return Person(f"https://localhost:{nginx.https}", number, **options(nginx))


def program(nginx: Nginx, address: str = VISITOR) -> Program:
    return Program(nginx.https, address, nginx.tls, HOST)


def connect(nginx: Nginx, address: str, host: str = HOST) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", nginx.https), timeout=30, source_address=(address, 0))
    return nginx.tls_of(host).wrap_socket(plain, server_hostname=host)


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def exchange(nginx: Nginx, head: str, address: str = VISITOR, host: str = HOST) -> Answer:
    """Send only the head of a request, and read the response."""
    with connect(nginx, address, host) as stream:
        stream.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        answer = http.client.HTTPResponse(stream, method=head.partition(" ")[0])
        answer.begin()
        return Answer(answer.status, answer.headers, answer.read())


class SlowClients:
    """Clients that send a byte a second: half never end the head of their request, half never end its body."""

    def __init__(self, nginx: Nginx) -> None:
        self.nginx = nginx
        self.streams = [self.begin(number) for number in range(SLOW_CLIENTS)]
        # The number of open connections, each second.
        self.open: list[int] = []
        self._are_over = threading.Event()

    def begin(self, number: int) -> ssl.SSLSocket:
        rest = f"HTTP/1.1\r\nHost: {HOST}\r\n"
        head = f"POST /account/login/ {rest}Content-Length: 999\r\n\r\n" if number % 2 else f"GET / {rest}X: "
        stream = connect(self.nginx, ATTACKER)
        stream.sendall(head.encode())
        return stream

    @contextmanager
    def trickling(self) -> Iterator[None]:
        thread = threading.Thread(target=self._trickle)
        thread.start()
        try:
            yield
        finally:
            self._are_over.set()
            thread.join()
            for stream in self.streams:
                stream.close()

    def _trickle(self) -> None:
        while not self._are_over.wait(1):
            taking = [takes_more(stream) for stream in self.streams]
            self.open.append(sum(taking))
            for number, takes in enumerate(taking):
                if not takes:
                    # nginx has closed it.
                    self.streams[number].close()
                    self.streams[number] = self.begin(number)


def takes_more(stream: ssl.SSLSocket) -> bool:
    """Send a byte, and return whether the other side has neither answered nor closed."""
    stream.settimeout(0)
    try:
        stream.send(b"x")
        stream.recv(1)
    except ssl.SSLWantReadError:
        return True
    except OSError:
        return False
    return False
