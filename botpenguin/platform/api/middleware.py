"""The API stands aside from what only pages need.

Sessions, CSRF, messages, languages and policies cost more than a whole API call. So this
middleware, placed before them, answers everything under `/api/` itself and makes sure that
whatever goes wrong there is told in the API's own envelope, with `DEBUG` on or off.
"""

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve

from botpenguin.database import outages
from botpenguin.platform.api import call_limits, envelope, errors

PREFIX = "/api/"
# The reference is for people: a page like others, with their policies and their middleware.
PAGE = "/api/v7/docs"
# A setting such as ".example.com" allows any number of names.
MOST_HOSTS = 100


def answer_api(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    # Those of `ALLOWED_HOSTS` that were asked for: to take a name apart and compare it costs more than all else here.
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
        return _complete(request, problem or _answer(request))

    return middleware


def _complete(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    call_limits.add_headers(request, response)
    # What a token opens is nobody else's, and no later answer's.
    response.headers.setdefault("Cache-Control", "no-store")
    # CommonMiddleware does this for pages; without it the server would send the answer in chunks.
    if response.status_code != HTTPStatus.NO_CONTENT:
        response.headers.setdefault("Content-Length", str(len(response.content)))
    return response


def _refusal(request: HttpRequest, hosts: set[str]) -> HttpResponse | None:
    """Refuse what came to a wrong host, over plain http or without its length, before anything is looked up."""
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
    if "HTTP_TRANSFER_ENCODING" in request.META:
        # WSGI knows no body without its length, and would take it for none.
        return envelope.error(HTTPStatus.LENGTH_REQUIRED, "Send the body in one piece, with its Content-Length.")
    return None


@lru_cache(maxsize=256)
def _match(path: str, urlconf: str) -> ResolverMatch:
    """Resolve an address, or raise `Http404`. Most calls go to a few, and to resolve is a tenth of a call."""
    return resolve(path, urlconf)


def _answer(request: HttpRequest) -> HttpResponse:
    try:
        outages.breaker.check()
        request.resolver_match = match = _match(request.path_info, settings.ROOT_URLCONF)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    except Http404 as exception:
        return errors.not_found(request, exception)
    except Exception as exception:  # noqa: BLE001 - the last net: a client must get JSON
        return errors.unexpected(request, exception)
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = response["Allow"]
        response = envelope.error(HTTPStatus.METHOD_NOT_ALLOWED, f"This path takes {allowed}, not {request.method}.")
        response["Allow"] = allowed
    return response
