"""One log line and one count for Prometheus for each request: its route, its status and its duration.

The line has the pattern of the URL, because the URL itself may contain the key of a link or a name.
Query, body and headers are left out, so the line is short whatever a client sends.
"""

import logging
import re
from collections.abc import Callable
from functools import cache
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject

from accounts.web.clients import client_ip
from botpenguin.observability import request_ids, request_metrics
from developers.bearer.verification import Bearer

logger = logging.getLogger("botpenguin.requests")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LINE = "%(method)s %(route)s %(status)s in %(milliseconds)s ms to %(client)s, user %(user)s"
OTHER = "other"
UNRESOLVED = "-"
# Supervisors request these every few seconds, so they are logged only if they fail.
HEALTH = frozenset({"/healthz", "/readyz", "/readyz/writes"})
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def log_requests(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give a request its id, log its response, and send the id with it. Must be the first middleware."""
    static = f"/{settings.STATIC_URL.lstrip('/')}"

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id = request_ids.choose(request.META.get("HTTP_X_REQUEST_ID"))
        outer = request_ids.current.set(request_id)
        began_at = perf_counter()
        try:
            response = get_response(request)
            response.headers[request_ids.HEADER] = request_id
            _log(request, response.status_code, perf_counter() - began_at, static)
            return response
        finally:
            request_ids.current.reset(outer)

    return middleware


def _log(request: HttpRequest, status: int, seconds: float, static: str) -> None:
    method = request.method if request.method in METHODS else OTHER
    if request.resolver_match:
        route = route_of(request.resolver_match.route)
    else:
        # WhiteNoise has answered it, or no view was found.
        route = f"{static}{{path}}" if request.path_info.startswith(static) else UNRESOLVED
    request_metrics.count_request(method, route, status, seconds)
    if request.path_info in HEALTH and status < 400:  # noqa: PLR2004 - where errors begin
        return
    fields = {
        "method": method,
        "route": route,
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "client": client_ip(request) or "-",
        "user": user_of(request) or "-",
    }
    if logger.isEnabledFor(logging.INFO):
        # Like `logger.info`, but without searching the stack for the caller, which is always this line.
        logger.handle(logger.makeRecord(logger.name, logging.INFO, __file__, 0, LINE, (fields,), None, extra=fields))


@cache
def route_of(pattern: str) -> str:
    """Write a URL pattern of Django as in the API's documents: `/api/v7/bots/{bot_id}`."""
    return "/" + PARAMETER.sub(r"{\1}", pattern)


def user_of(request: HttpRequest) -> int | None:
    """Return the id of the user if the request has loaded one already. Runs no query."""
    if isinstance(bearer := getattr(request, "auth", None), Bearer):
        return bearer.owner_id
    # The user who has logged in by this request, or else who sent it.
    for user in (getattr(request, "user", None), getattr(request, "_cached_user", None)):
        if not isinstance(user, LazyObject) and (key := getattr(user, "pk", None)):
            return int(key)
    return None
