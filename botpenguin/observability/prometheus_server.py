"""The HTTP server of metrics: one page, few connections, each for a few seconds."""

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
# From the connection to the last byte of the response. The database takes at most two of them.
SECONDS_FOR_A_CONNECTION = 5.0
# The time that a thread has to notice that its connection was closed.
SECONDS_FOR_A_PLACE = 1.0

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's
        """Log nothing: any client could fill the log."""


class Server(ThreadingMixIn, WSGIServer):
    """One thread a connection, and at most `MOST_CONNECTIONS`. A new connection closes the oldest."""

    daemon_threads = True
    # Connections that the system queues. Beyond these, clients try again after seconds.
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
        """Close connections that have used up their time. socketserver calls this twice a second."""
        now = time.monotonic()
        self._end(
            [request for request, began in list(self._began_at.items()) if now - began > SECONDS_FOR_A_CONNECTION]
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: a client that disconnects is no error."""

    def _end(self, requests: list[Any]) -> None:
        for request in requests:
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)


def serve(host: str, port: int, application: Application) -> Server:
    """Serve in a thread. Raises `OSError` if it cannot listen at that address."""
    server = Server(host, port, only_here(application))
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def only_here(application: Application) -> Application:
    """Refuse all requests but GET of the one page at one of this machine's names."""

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
    """Return whether a host is an IP address or one of our names. DNS rebinding uses other names."""
    name, _ = split_domain_port(host)
    with suppress(ValueError):
        return bool(ip_address(name.strip("[]")))
    return bool(name) and validate_host(name, ["localhost", settings.METRICS_HOST, *settings.ALLOWED_HOSTS])
