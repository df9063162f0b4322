"""Answers everything under `/api/` before the middleware that only pages need.

Sessions, CSRF, messages, languages and policies take longer than a whole API call. This
middleware also puts all errors into the API's envelope, with `DEBUG` on or off.
"""

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.urls import ResolverMatch, resolve

from botpenguin.database import outages
from botpenguin.http.request_bodies import join_chunks
from botpenguin.platform.api import call_limits, envelope, errors

PREFIX = "/api/"
# The reference is a page like others, with their middleware.
PAGE = "/api/v7/docs"
# Cached hosts. A setting such as ".example.com" allows any number.
MOST_HOSTS = 100


def answer_api(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    # Valid hosts of earlier requests: validating a host takes longer than the rest of this middleware.
    hosts: set[str] = set()

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        problem = _refusal(request, hosts)
        if not problem and request.path_info == PAGE and request.method in ("GET", "HEAD"):
            page = get_response(request)
            if page.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                return page
            is_outage = page.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            problem = errors.unavailable() if is_outage else errors.broken()
        return _complete(request, problem or _without_chunks(request) or _answer(request))

    return middleware


def _complete(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    call_limits.add_headers(request, response)
    # Responses are personal.
    response.headers.setdefault("Cache-Control", "no-store")
    # As CommonMiddleware does for pages; without it the server would send chunks.
    if response.status_code != HTTPStatus.NO_CONTENT:
        response.headers.setdefault("Content-Length", str(len(response.content)))
    return response


def _refusal(request: HttpRequest, hosts: set[str]) -> HttpResponse | None:
    """Refuse a wrong host and plain http, before any query."""
    if (host := request.META.get("HTTP_HOST")) not in hosts:
        try:
            request.get_host()
        except DisallowedHost:
            return envelope.error(HTTPStatus.BAD_REQUEST, "This host name is not served here. Check the base URL.")
        if host and len(hosts) < MOST_HOSTS:
            hosts.add(host)
    if settings.HTTPS and not request.is_secure():
        return envelope.error(
            HTTPStatus.FORBIDDEN,
            "Use https. If this request carried a token, revoke it: it crossed the network in clear.",
        )
    return None


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


def _answer(request: HttpRequest) -> HttpResponse:
    """Call the operation, which answers HEAD like GET (RFC 9110, section 9.3.2): the server sends no body."""
    method = request.method
    if method == "HEAD":
        request.method = "GET"
    try:
        outages.check(method)
        request.resolver_match = match = _match(request.path_info, settings.ROOT_URLCONF)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    except Http404 as exception:
        return errors.not_found(request, exception)
    except Exception as exception:  # noqa: BLE001 - a client must always get JSON
        return errors.unexpected(request, exception)
    finally:
        request.method = method
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = set(response["Allow"].split(", "))
        allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
        response = envelope.error(HTTPStatus.METHOD_NOT_ALLOWED, f"This path takes {allowed}, not {request.method}.")
        response["Allow"] = allowed
    return response
