"""The API as a WSGI application beside Django's handler, which serves pages.

Django's way to a view (signals, a frame of exception handling for each middleware, sessions, policies) takes several
times as long as the bearer check. So this calls what an API call needs itself, and puts all errors into the API's
envelope, with `DEBUG` on or off.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from http import HTTPStatus
from time import perf_counter
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.urls import ResolverMatch, resolve
from django.utils import translation

from accounts.orm.bulk import brief_waits
from accounts.web.clients import Proxies, canonical_ip
from botpenguin.database import outages, write_probe
from botpenguin.http.drain import drain
from botpenguin.http.headers import security_headers
from botpenguin.http.request_bodies import finish_body, join_chunks
from botpenguin.http.requests import Request
from botpenguin.observability import request_ids, request_log, request_metrics
from botpenguin.observability.request_lines import RequestLine
from botpenguin.platform.api import call_limits, direct, envelope, errors, languages
from botpenguin.platform.api.error_keys import ErrorKey
from botpenguin.platform.api.reply import Reply
from botpenguin.platform.api.v7 import api

Pages = Callable[[WSGIEnvironment, StartResponse], Any]

PREFIX = "/api/"
# The reference is a page like others, with their middleware.
PAGE = "/api/v7/docs"
READING = ("GET", "HEAD")
# Cached hosts. A setting such as ".example.com" allows any number.
MOST_HOSTS = 100
# Responses are personal. Their sentences are in English unless a request prefers another language.
HEADERS = {"Cache-Control": "no-store", "Vary": "Accept-Language", "Content-Language": languages.ENGLISH}


class ApiExchange:
    """A request and its reply. The server iterates it, and closes it after the body is sent (PEP 3333)."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.environ = environ
        self.id = request_ids.choose(environ.get("HTTP_X_REQUEST_ID"))
        self.method: str = environ["REQUEST_METHOD"].upper()
        self.route: str = request_log.UNKNOWN
        self.user: int | str = request_log.UNKNOWN
        self.is_logged = True
        self.language = languages.of(environ)
        self._began_at = perf_counter()

    def answer(self, reply: Reply, start_response: StartResponse) -> "ApiExchange":
        self._status, self._seconds = reply.status, perf_counter() - self._began_at
        request_metrics.count_request(request_log.method_of(self.method), self.route, self._status, self._seconds)
        # A client would take the body after HEAD for the next response (RFC 9112, section 6.3).
        self._body = b"" if self.method == "HEAD" else reply.body
        start_response(reply.status_line, [*reply.headers.items()])
        return self

    def __iter__(self) -> Iterator[bytes]:
        return iter((self._body,))

    def close(self) -> None:
        """Give connections back as Django does after a request, and log."""
        try:
            close_old_connections()
        finally:
            if self.is_logged or self._status >= HTTPStatus.BAD_REQUEST:
                request_log.log(self._line())

    def _line(self) -> RequestLine:
        method, client = request_log.method_of(self.method), canonical_ip(self.environ.get("REMOTE_ADDR", ""))
        client = client or request_log.UNKNOWN
        return RequestLine(self.id, method, self.route, self._status, self._seconds, client, self.user)


class ApiApplication:
    """Answers everything under `/api/`. `pages` answers the one page there."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._proxies = Proxies()
        # Valid hosts of earlier requests: validating a host takes longer than the rest of this class.
        self._hosts: set[str] = set()
        self._requires_https = settings.HTTPS
        self._headers = HEADERS | security_headers(is_secure=settings.HTTPS)
        self._insecure_headers = HEADERS | security_headers(is_secure=False)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        write_probe.probe.start()
        exchange = ApiExchange(environ)
        outer = request_ids.current.set(exchange.id)
        try:
            return self._answer(exchange, start_response)
        finally:
            request_ids.current.reset(outer)

    def _answer(self, exchange: ApiExchange, start_response: StartResponse) -> Any:
        environ, path, is_reading = exchange.environ, exchange.environ["PATH_INFO"], exchange.method in READING
        # Proxies are trusted once, and the page's middleware does it, too.
        of_page = environ.copy() if path == PAGE and is_reading else None
        self._proxies.apply_to(environ)
        refusal = self._refusal(environ)
        if of_page and not refusal:
            return self._page(of_page, exchange, start_response)
        if not refusal and is_reading and path in direct.OPERATIONS and not _has_body(environ):
            reply = _reply_directly(exchange, direct.OPERATIONS[path])
        else:
            with translation.override(exchange.language):
                reply = _reply_by_view(exchange, refusal)
        return exchange.answer(self._completed(exchange, reply), start_response)

    def _page(self, environ: WSGIEnvironment, exchange: ApiExchange, start_response: StartResponse) -> Any:
        """Return the page of Django's handler, which logs it, or the API's error if it fails."""
        environ["HTTP_X_REQUEST_ID"] = exchange.id
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], error: Any = None, /) -> Callable[[bytes], object]:
            started.append((status, headers))
            return bytes.__len__

        page = self._pages(environ, start)
        [(status, headers)] = started
        if page.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            is_outage = page.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            with translation.override(exchange.language):
                failed = self._completed(exchange, Reply.of(errors.unavailable() if is_outage else errors.broken()))
            page.content, headers = failed.body, [*failed.headers.items()]
        start_response(status, headers)
        return page

    def _refusal(self, environ: WSGIEnvironment) -> ErrorKey | None:
        """Refuse a wrong host and plain http, before any query."""
        if (host := environ.get("HTTP_HOST")) not in self._hosts:
            try:
                # A copy, since a request decodes the path in its environment.
                Request(environ.copy()).get_host()
            except DisallowedHost:
                return ErrorKey.HOST_UNKNOWN
            if host and len(self._hosts) < MOST_HOSTS:
                self._hosts.add(host)
        if self._requires_https and not _is_secure(environ):
            return ErrorKey.HTTPS_REQUIRED
        return None

    def _completed(self, exchange: ApiExchange, reply: Reply) -> Reply:
        """Add the headers that every response has."""
        is_insecure = self._requires_https and not _is_secure(exchange.environ)
        headers = (self._insecure_headers if is_insecure else self._headers) | reply.headers
        headers[request_ids.HEADER] = exchange.id
        if exchange.language != languages.ENGLISH and "Content-Language" not in reply.headers:
            headers["Content-Language"] = exchange.language
        # Without it the server would send chunks.
        if reply.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(reply.body))
        call_limits.add_headers(exchange.environ, headers)
        if drain.ends_connections():
            headers["Connection"] = "close"
        return Reply(reply.status, headers, reply.body)


def _reply_directly(exchange: ApiExchange, operation: direct.Operation) -> Reply:
    exchange.route = exchange.environ["PATH_INFO"]
    try:
        outages.check(exchange.method)
        bearer, reply = operation(exchange.environ)
    except Exception as exception:  # noqa: BLE001 - a client must always get JSON
        with translation.override(exchange.language):
            return Reply.of(api.on_exception(Request(exchange.environ), exception))
    exchange.user = bearer.owner_id
    exchange.is_logged = exchange.route != direct.CHECK or direct.is_sampled()
    return reply


def _reply_by_view(exchange: ApiExchange, refusal: ErrorKey | None) -> Reply:
    request = Request(exchange.environ)
    with brief_waits():
        refused = envelope.error(refusal) if refusal else _without_chunks(request)
        reply = Reply.of(refused or _respond(request))
    if request.resolver_match:
        exchange.route = request_log.route_of(request.resolver_match.route or "")
    exchange.user = request_log.user_of(request) or request_log.UNKNOWN
    if not finish_body(request):
        reply.headers["Connection"] = "close"
    request.close()
    return reply


def _has_body(environ: WSGIEnvironment) -> bool:
    return "HTTP_TRANSFER_ENCODING" in environ or environ.get("CONTENT_LENGTH") not in (None, "", "0")


def _is_secure(environ: dict[str, Any]) -> bool:
    """Return what `HttpRequest.is_secure` does, without a request."""
    header, secure = settings.SECURE_PROXY_SSL_HEADER or ("wsgi.url_scheme", "https")
    scheme: str = environ.get(header, environ["wsgi.url_scheme"])
    return scheme.partition(",")[0].strip() == str(secure)


def _without_chunks(request: HttpRequest) -> HttpResponse | None:
    """Read a body in chunks; return the response if that is impossible, which ends the connection."""
    if "HTTP_TRANSFER_ENCODING" not in request.META:
        return None
    try:
        if not join_chunks(request, settings.DATA_UPLOAD_MAX_MEMORY_SIZE):
            return None
        refusal = errors.too_big(request)
    except UnreadablePostError as exception:
        refusal = errors.cut_off(request, exception)
    refusal["Connection"] = "close"
    return refusal


@lru_cache(maxsize=256)
def _match(path: str, urlconf: str) -> ResolverMatch:
    """Resolve a path, or raise `Http404`. Cached: resolving is a tenth of a call, and few paths get most calls."""
    return resolve(path, urlconf)


def _respond(request: HttpRequest) -> HttpResponse:
    """Call the view, which answers HEAD like GET (RFC 9110, section 9.3.2)."""
    method = request.method
    if method == "HEAD":
        request.method = "GET"
    try:
        outages.check(method)
        request.resolver_match = match = _match(request.path_info, settings.ROOT_URLCONF)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    except Exception as exception:  # noqa: BLE001 - as above
        return api.on_exception(request, exception)
    finally:
        request.method = method
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = set(response["Allow"].split(", "))
        allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
        key = ErrorKey.METHOD_NOT_ALLOWED
        response = envelope.error(key, key.say(allowed=allowed, method=request.method))
        response["Allow"] = allowed
    return response
