"""One log line and one count for Prometheus for each request: its route, its status and its duration.

The line has the pattern of the URL, because the URL itself may contain the key of a link or a name.
Query, body and headers are left out, so the line is short whatever a client sends. It is written after the response
is sent.
"""

import logging
import re
import time
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject

from accounts.web.clients import client_ip
from botpenguin.observability import request_ids, request_metrics
from botpenguin.observability.request_lines import LOGGER, LineHandler, RequestLine
from developers.bearer.verification import Bearer

logger = logging.getLogger(LOGGER)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
UNKNOWN = "-"
# Supervisors request these every few seconds, so they are logged only if they fail.
HEALTH = frozenset({"/healthz", "/readyz", "/readyz/writes"})
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def log_requests(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give a request its id, send it with the response, and log that. Must be the first middleware."""
    static = f"/{settings.STATIC_URL.lstrip('/')}"

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id = request_ids.choose(request.META.get("HTTP_X_REQUEST_ID"))
        began_at = time.perf_counter()
        with request_ids.of(request_id):
            response = get_response(request)
        response.headers[request_ids.HEADER] = request_id
        line = RequestLine(
            request_id,
            method_of(request.method),
            _route(request, static),
            response.status_code,
            time.perf_counter() - began_at,
            client_ip(request) or UNKNOWN,
            user_of(request) or UNKNOWN,
        )
        request_metrics.count_request(line.method, line.route, line.status, line.seconds)
        if request.path_info not in HEALTH or line.is_of_error:
            # The server calls it after the body is sent (PEP 3333).
            response._resource_closers.append(lambda: log(line))  # type: ignore[attr-defined]
        return response

    return middleware


def log(line: RequestLine) -> None:
    """Write a line, without a record of `logging` where that would reach the project's own handler alone."""
    if not logger.isEnabledFor(logging.INFO):
        return
    handler = _only_handler()
    if isinstance(handler, LineHandler) and handler.takes_lines:
        handler.write_line(line)
        return
    with request_ids.of(line.request_id):
        logger.info("%s", line.message, extra=line.fields)


def method_of(method: str | None) -> str:
    return method if method in METHODS else OTHER


def _only_handler() -> logging.Handler | None:
    """Return the handler that a record would reach, if it is the only one and nothing filters the record before."""
    root = logger.parent
    if logger.handlers or logger.filters or root is not logging.root or len(root.handlers) != 1:
        return None
    return root.handlers[0]


def _route(request: HttpRequest, static: str) -> str:
    if request.resolver_match:
        return route_of(request.resolver_match.route)
    # WhiteNoise has answered it, or no view was found.
    return f"{static}{{path}}" if request.path_info.startswith(static) else UNKNOWN


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
