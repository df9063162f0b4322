"""The server of metrics: a few connections, each for a few seconds, and one page for whoever asks this machine."""

import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from socketserver import ThreadingMixIn
from threading import BoundedSemaphore, Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.conf import settings
from django.http.request import split_domain_port, validate_host

PATH = "/metrics"
MOST_CONNECTIONS = 16
# From the connection to the last byte of the answer. The database takes two of them at most.
SECONDS_FOR_A_CONNECTION = 5.0
# The time that the thread of a connection that was ended has to notice it.
SECONDS_FOR_A_PLACE = 1.0

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's
        """Log nothing: each line would be one that whoever reaches the port writes."""


class Server(ThreadingMixIn, WSGIServer):
    """A thread for each connection, and at most `MOST_CONNECTIONS` of them: a new one ends the oldest."""

    daemon_threads = True
    # Of those that the system holds until it is their turn. Beyond them a connection is tried again after seconds.
    request_queue_size = 512

    def __init__(self, host: str, port: int, application: Application) -> None:
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        self._places = BoundedSemaphore(MOST_CONNECTIONS)
        self._began_at: dict[Any, float] = {}
        super().__init__((host, port), Handler)
        self.set_app(application)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self._end(list(self._began_at)[:1])
            if not self._places.acquire(timeout=SECONDS_FOR_A_PLACE):
                self.shutdown_request(request)
                return
        self._began_at[request] = time.monotonic()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._began_at[request]
            self._places.release()

    def service_actions(self) -> None:
        """End the connections whose time is over; called twice a second."""
        now = time.monotonic()
        self._end(
            [request for request, began in list(self._began_at.items()) if now - began > SECONDS_FOR_A_CONNECTION]
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing, as above: a client that goes away is no error."""

    def _end(self, requests: list[Any]) -> None:
        for request in requests:
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)


def serve(host: str, port: int, application: Application) -> Server:
    """Answer from a thread from now on. Raises `OSError` where that address cannot be listened on."""
    server = Server(host, port, only_here(application))
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def only_here(application: Application) -> Application:
    """Refuse all but GET of the one page, asked of this machine."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        status = _refusal(environ)
        if status is None:
            return application(environ, start_response)
        headers = [("Content-Type", "text/plain")]
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "GET"))
        start_response(f"{status.value} {status.phrase}", headers)
        return [f"{status.phrase}\n".encode()]

    return answer


def _refusal(environ: dict[str, Any]) -> HTTPStatus | None:
    if not _is_here(environ.get("HTTP_HOST", "")):
        return HTTPStatus.MISDIRECTED_REQUEST
    if environ["PATH_INFO"] != PATH:
        return HTTPStatus.NOT_FOUND
    return None if environ["REQUEST_METHOD"] == "GET" else HTTPStatus.METHOD_NOT_ALLOWED


def _is_here(host: str) -> bool:
    """Tell whether a host is an address or a name of ours: a page elsewhere may give its own name our address."""
    name, _ = split_domain_port(host)
    with suppress(ValueError):
        return bool(ip_address(name.strip("[]")))
    return bool(name) and validate_host(name, ["localhost", settings.METRICS_HOST, *settings.ALLOWED_HOSTS])
