"""Sends one outbound call within its limits: time, bytes, redirects and addresses.

Each failure of the server or the network becomes an `OutboundResponse` too. `OUTBOUND_SECONDS` limits the
wall-clock time of the whole call, so that no call holds a thread longer.
"""

import socket
import ssl
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlencode

import httpcore
import httpx
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from developers.outbound import url_rules
from developers.outbound.recipe import Recipe, RecipeField
from developers.outbound.token_search import holds_token
from developers.outbound.transport import responses
from developers.outbound.transport.addresses import Resolver, UnreachableHost
from developers.outbound.transport.network import Deadline, Transport, public_certificates
from developers.outbound.transport.responses import NO_DATA, OutboundResponse
from developers.outbound.url_rules import BadUrl
from developers.outbound.validation import first_problem, own_token_sent

__all__ = ["MOST_BYTES", "OutboundResponse", "send"]

MOST_BYTES = 1024 * 1024
# Of at most 100 KB. Each header takes time to read, to mask and to show.
MOST_HEADERS = 100
MOST_REDIRECTS = 5
USER_AGENT = "BotPenguin"
REDIRECTS = (301, 302, 303, 307, 308)
# RFC 9110, section 15.4: these repeat the request; the others turn a POST into a GET.
SAME_REQUEST = (307, 308)
WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class CallFailed(Exception):
    """No response came. The text is a sentence for the user."""


class _Hop(NamedTuple):
    """One request of a call; each redirect adds one."""

    method: str
    url: httpx.URL
    headers: tuple[RecipeField, ...]
    body: bytes


def send(
    recipe: Recipe,
    *,
    owner: User | int,
    resolver: Resolver = socket.getaddrinfo,
    ssl_context: ssl.SSLContext | None = None,
) -> OutboundResponse:
    """Send a recipe without placeholders.

    `resolver` looks up names, and `ssl_context` checks certificates; tests pass their own.
    """
    deadline = Deadline(settings.OUTBOUND_SECONDS)
    trail: list[str] = []
    try:
        context = ssl_context or public_certificates()
        with Transport(deadline, resolver, context, owner if isinstance(owner, int) else owner.pk) as transport:
            response = _follow(transport, recipe, trail)
    except (CallFailed, BadUrl, UnreachableHost, httpx.InvalidURL) as error:
        response = OutboundResponse(problem=str(error))
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        response = OutboundResponse(problem=_why(error))
    return replace(response, seconds=deadline.passed, redirected_to=tuple(trail))


def _follow(transport: Transport, recipe: Recipe, trail: list[str]) -> OutboundResponse:
    hop = _first_hop(recipe)
    while True:
        response = _ask(transport, hop)
        location = {name.lower(): value for name, value in response.headers}.get("location")
        if response.status not in REDIRECTS or location is None:
            return response
        try:
            to = str(hop.url.join(location))
        except (httpx.InvalidURL, ValueError):
            if not recipe.follows_redirects:
                return response
            raise CallFailed(_("The server redirects to an address that cannot be read.")) from None
        trail.append(to)
        if not recipe.follows_redirects:
            return response
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
            raise CallFailed(
                _("The server redirects to an address with an API access token in it. That is not followed.")
            )
        hop = _next_hop(hop, url_rules.read(to.partition("#")[0]), response.status)


def _first_hop(recipe: Recipe) -> _Hop:
    problem = first_problem(recipe)
    if problem:
        raise CallFailed(problem)
    query = urlencode([(part.name, part.value) for part in recipe.parameters])
    url = url_rules.read(f"{recipe.url}?{query}" if query else recipe.url)
    # No single part contains a token. It may still be spread over several, or appear once they are joined.
    together = ("".join(part.value for part in parts) for parts in (recipe.parameters, recipe.headers))
    if holds_token(url.raw_path) or any(map(holds_token, together)):
        raise CallFailed(own_token_sent())
    return _Hop(recipe.method, url, recipe.headers, recipe.body.encode() if recipe.sends_body else b"")


def _next_hop(hop: _Hop, url: httpx.URL, status: int) -> _Hop:
    if hop.url.scheme == "https" and url.scheme == "http":
        raise CallFailed(
            _("The server redirects from https to http, where others could read along. That is not followed.")
        )
    is_same = status in SAME_REQUEST or hop.method not in ("POST", "PUT", "PATCH", "DELETE")
    method, body = (hop.method, hop.body) if is_same else ("GET", b"")
    headers = hop.headers
    if _origin(url) != _origin(hop.url):
        # Headers were written for the first server. They stay removed, even if the other one redirects back.
        if body:
            raise CallFailed(
                _("The server redirects to another one, which must not get the body. That is not followed.")
            )
        headers = ()
    return _Hop(method, url, headers, body)


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port


def _ask(transport: Transport, hop: _Hop) -> OutboundResponse:
    own = {"accept": "*/*", "user-agent": USER_AGENT} | ({"content-type": "application/json"} if hop.body else {})
    given = {header.name.lower() for header in hop.headers}
    headers = [(name.encode(), value.encode()) for name, value in own.items() if name not in given]
    headers += [(header.name.encode(), header.value.strip().encode()) for header in hop.headers]
    headers += [(b"accept-encoding", b"gzip, deflate"), (b"connection", b"close")]
    request = httpx.Request(hop.method, hop.url, headers=headers, content=hop.body or None)
    raw = transport.handle_request(request)
    try:
        return _read(raw)
    finally:
        raw.close()


def _read(raw: httpx.Response) -> OutboundResponse:
    headers = raw.headers.raw
    content_type = raw.headers.get("content-type", "")
    body, is_cut = _decoded(raw.iter_raw(), raw.headers.get("content-encoding", ""))
    response = OutboundResponse(
        status=raw.status_code,
        reason=_shown(raw.extensions["reason_phrase"]),
        headers=tuple((_shown(name), _shown(value)) for name, value in headers[:MOST_HEADERS]),
        headers_left_out=max(len(headers) - MOST_HEADERS, 0),
        body=body,
        is_cut=is_cut,
        size=len(body),
        explanation=responses.explain(raw.status_code),
    )
    text = responses.read_text(body, content_type) if not is_cut else body.decode(errors="replace").replace("\0", "�")
    if is_cut:
        return replace(
            response, text=text, unreadable=_("The response is longer than 1 MiB and was cut, so it is not read.")
        )
    if text is None:
        return replace(response, unreadable=_("The response is no text, or not in the encoding that it names."))
    data, unreadable = responses.read_data(text) if text.strip() else (NO_DATA, _("The response is empty."))
    return replace(response, text=text, data=data, unreadable=unreadable)


def _decoded(chunks: Iterable[bytes], encodings: str) -> tuple[bytes, bool]:
    """Read a body until its end or its limit, and return whether it was cut.

    Never decompresses more than the limit, however much a small chunk expands to.
    """
    encoding = encodings.strip().lower()
    if encoding in ("", "identity"):
        parts: Iterator[bytes] = iter(chunks)
    elif encoding in WINDOW_BITS:
        parts = _unpacked(chunks, WINDOW_BITS[encoding])
    else:
        raise CallFailed(
            _("The response is compressed in a way that was not asked for: %(encoding)s.") % {"encoding": encoding}
        )
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > MOST_BYTES:
            return bytes(body[:MOST_BYTES]), True
    return bytes(body), False


def _unpacked(chunks: Iterable[bytes], window_bits: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(window_bits)
    received = 0
    for chunk in chunks:
        received += len(chunk)
        try:
            part = unpacker.decompress(chunk, MOST_BYTES + 1)
        except zlib.error:
            raise CallFailed(_("The response is compressed, and cannot be decompressed.")) from None
        yield part
        if unpacker.eof:
            return
        if received > MOST_BYTES:
            # Compressed data that is longer than its content is not worth reading on.
            raise CallFailed(_("The response is compressed, and cannot be decompressed."))
    if received:
        raise CallFailed(_("The server closed the connection before its response was complete."))


def _shown(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _why(error: Exception) -> str:
    """Return a sentence for an exception of httpcore."""
    if isinstance(error, httpcore.ProtocolError):
        return _why_not_http(str(error))
    # httpcore's pool drops __cause__, but the cause is also the exception's argument.
    cause = next(iter(error.args), None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _("The certificate of the server can't be trusted: %(why)s.") % {"why": cause.verify_message.rstrip(".")}
    sentences: dict[type[Exception], str] = {
        ssl.SSLError: _("No secure connection was made: the server broke the rules of TLS."),
        ConnectionRefusedError: _("Nothing answers at this server and port."),
        httpcore.ConnectTimeout: _("The server could not be reached within %(seconds)s seconds."),
        httpcore.TimeoutException: _("The server did not finish its response within %(seconds)s seconds."),
        httpcore.ConnectError: _("The server could not be reached."),
        httpcore.NetworkError: _("The server closed the connection."),
    }
    sentence = next(text for kind, text in sentences.items() if isinstance(error, kind) or isinstance(cause, kind))
    return sentence % {"seconds": f"{settings.OUTBOUND_SECONDS:g}"}


def _why_not_http(error: str) -> str:
    sentences = {
        "Server disconnected": _("The server closed the connection without a response."),
        "closed connection": _("The server closed the connection before its response was complete."),
        "Receive buffer too long": _("The headers of the response do not end: over 100 KB came."),
    }
    return next((text for part, text in sentences.items() if part in error), _("The server's response is not HTTP."))
