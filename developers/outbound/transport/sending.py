"""Sends one outbound call within its limits: time, bytes, redirects and addresses.

Each failure of the server or the network becomes an `OutboundResponse` too. `OUTBOUND_SECONDS` limits the
wall-clock time of the whole call, so that no call holds a thread longer.
"""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import httpx
from django.conf import settings

from accounts.models import User
from developers.outbound import url_rules
from developers.outbound.body import MULTIPART, body_of, with_boundary
from developers.outbound.recipe import CONTENT_TYPES, Recipe, RecipeField, encoded, with_query
from developers.outbound.sentences import gettext as _
from developers.outbound.sentences import ngettext
from developers.outbound.token_search import holds_token
from developers.outbound.transport.addresses import Resolver, UnreachableHost
from developers.outbound.transport.cancelling import Cancellation
from developers.outbound.transport.deadlines import Deadline
from developers.outbound.transport.decoding import MOST_BYTES
from developers.outbound.transport.failures import FAILURES, why_none
from developers.outbound.transport.network import Transport, public_certificates
from developers.outbound.transport.reading import read
from developers.outbound.transport.responses import OutboundResponse, Redirect, SentRequest
from developers.outbound.url_rules import BadUrl
from developers.outbound.validation import first_problem, own_token_sent

__all__ = ["MOST_BYTES", "OutboundResponse", "send"]

MOST_REDIRECTS = 5
USER_AGENT = "BotPenguin"
REDIRECTS = (301, 302, 303, 307, 308)
SEE_OTHER = 303
# RFC 9110, section 15.4: these turn a POST into a GET, as curl and browsers do; the others repeat every request.
POST_TO_GET = (301, 302)


class CallFailed(Exception):
    """No response came. The text is a sentence for the user."""


class _Hop(NamedTuple):
    """One request of a call; each redirect adds one."""

    method: str
    url: httpx.URL
    target: bytes
    headers: tuple[RecipeField, ...]
    body: bytes | None
    content_type: str


def send(
    recipe: Recipe,
    *,
    owner: User | int,
    resolver: Resolver = socket.getaddrinfo,
    ssl_context: ssl.SSLContext | None = None,
    cancellation: Cancellation | None = None,
) -> OutboundResponse:
    """Send a recipe without placeholders.

    `resolver` looks up names, and `ssl_context` checks certificates; tests pass their own. With a `cancellation`
    the call ends once that is cancelled.
    """
    deadline = Deadline(settings.OUTBOUND_SECONDS, cancellation)
    trail: list[Redirect] = []
    sent: list[SentRequest] = []
    owner_id = owner if isinstance(owner, int) else owner.pk
    try:
        context = ssl_context or public_certificates()
        with Transport(deadline, resolver, context, owner_id, sent) as transport:
            response = _follow(transport, recipe, trail)
    except (CallFailed, BadUrl, UnreachableHost, httpx.InvalidURL) as error:
        response = OutboundResponse(problem=str(error))
    except FAILURES as error:
        response = OutboundResponse(problem=why_none(error))
    notes = (*_changed_methods(recipe.method, trail), *response.notes)
    return replace(response, seconds=deadline.passed, redirects=tuple(trail), notes=notes, sent=tuple(sent))


def _follow(transport: Transport, recipe: Recipe, trail: list[Redirect]) -> OutboundResponse:
    hop = _first_hop(recipe)
    while True:
        response = _ask(transport, hop)
        if response.status not in REDIRECTS or not response.location:
            return response
        try:
            to = str(hop.url.join(response.location))
        except (httpx.InvalidURL, ValueError):
            unreadable = _("The server redirects to an address that cannot be read.")
            return replace(response, problem=unreadable) if recipe.follows_redirects else response
        trail.append(Redirect(response.status, to))
        if not recipe.follows_redirects:
            return response
        try:
            hop = _next_hop(hop, trail, response.location)
        except CallFailed as refusal:
            return replace(response, problem=str(refusal))
        trail[-1] = trail[-1]._replace(method=hop.method)


def _changed_methods(method: str, trail: list[Redirect]) -> Iterator[str]:
    for redirect in trail:
        if redirect.method and redirect.method != method:
            names = {"method": method, "other": redirect.method}
            yield _("A redirect turned %(method)s into %(other)s. No body was sent again.") % names
            method = redirect.method


def _first_hop(recipe: Recipe) -> _Hop:
    recipe = with_boundary(recipe)
    problem = first_problem(recipe)
    if problem:
        raise CallFailed(problem)
    query = "&".join(map(encoded, recipe.parameters))
    whole = with_query(recipe.url, query)
    url, target = url_rules.read(whole), url_rules.target(whole)
    # No single part contains a token. It may still be spread over several, or appear once they are joined.
    parts = (recipe.parameters, recipe.headers, recipe.sent_fields)
    together = ("".join(each.value for each in part) for part in parts)
    written = body_of(recipe)
    if holds_token(target) or any(map(holds_token, together)) or (recipe.sent_fields and holds_token(written)):
        raise CallFailed(own_token_sent())
    body = written.encode() if recipe.sends_body else None
    return _Hop(recipe.method, url, target, recipe.headers, body, CONTENT_TYPES.get(recipe.body_kind, ""))


def _next_hop(hop: _Hop, trail: list[Redirect], location: str) -> _Hop:
    """Return the request that follows the last redirect. Raises `CallFailed` or `BadUrl`."""
    if len(trail) > MOST_REDIRECTS:
        raise CallFailed(
            ngettext(
                "The server redirects again and again. At most %(most)d redirect is followed.",
                "The server redirects again and again. At most %(most)d redirects are followed.",
                MOST_REDIRECTS,
            )
            % {"most": MOST_REDIRECTS}
        )
    # Before parsing, which may change the text, such as the case of the server's name.
    if holds_token(location):
        raise CallFailed(_("The server redirects to an address with an API access token in it. That is not followed."))
    status, to, _method = trail[-1]
    url = url_rules.read(to.partition("#")[0])
    if hop.url.scheme == "https" and url.scheme == "http":
        raise CallFailed(
            _("The server redirects from https to http, where others could read along. That is not followed.")
        )
    method, body, headers = hop.method, hop.body, hop.headers
    if status == SEE_OTHER or (status in POST_TO_GET and method == "POST"):
        method, body = "GET", None
        # Its boundary would announce a body.
        headers = tuple(header for header in headers if not header.value.startswith(f"{MULTIPART};"))
    if _origin(url) != _origin(hop.url):
        # Headers were written for the first server. They stay removed, even if the other one redirects back.
        if body:
            raise CallFailed(
                _("The server redirects to another one, which must not get the body. That is not followed.")
            )
        headers = ()
    return _Hop(method, url, url.raw_path, headers, body, hop.content_type)


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port


def _ask(transport: Transport, hop: _Hop) -> OutboundResponse:
    own = {"accept": "*/*", "user-agent": USER_AGENT} | ({} if hop.body is None else {"content-type": hop.content_type})
    given = {header.name.lower() for header in hop.headers}
    headers = [(name.encode(), value.encode()) for name, value in own.items() if name not in given]
    sent = (header for header in hop.headers if not header.leaves_out)
    headers += [(header.name.encode(), header.value.strip().encode()) for header in sent]
    headers += [(b"accept-encoding", b"gzip, deflate"), (b"connection", b"close")]
    headers += [(b"content-length", b"0")] if hop.body == b"" else []
    request = httpx.Request(hop.method, hop.url, headers=headers, content=hop.body, extensions={"target": hop.target})
    if hop.body is None:
        # httpx would announce a body of no bytes with POST, which curl does not.
        request.headers.pop("content-length", None)
    raw = transport.handle_request(request)
    try:
        return read(raw)
    finally:
        raw.close()
