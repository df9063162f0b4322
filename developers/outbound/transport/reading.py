"""Reads a response: status and headers whatever comes after them, and the body as far as it can be read."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import httpx
from django.template.defaultfilters import filesizeformat

from developers.outbound.sentences import gettext as _
from developers.outbound.transport import responses
from developers.outbound.transport.chunks import join_chunks
from developers.outbound.transport.decoding import MOST_BYTES, Decoding, decode
from developers.outbound.transport.failures import FAILURES, incomplete, why_cut
from developers.outbound.transport.heads import Head, HeadReader
from developers.outbound.transport.network import HEAD
from developers.outbound.transport.responses import NO_DATA, OutboundResponse

# Of at most 100 KB. Each header takes time to read, to mask and to show.
MOST_HEADERS = 100
BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def read(raw: httpx.Response) -> OutboundResponse:
    """Read a response of `network.Transport`, however it is broken."""
    reader: HeadReader = raw.extensions[HEAD]
    head = reader.head
    decoding = Decoding()
    encodings = head.values(b"content-encoding") + [
        coding for coding in head.values(b"transfer-encoding") if coding.lower() != b"chunked"
    ]
    pieces = _received(raw.iter_raw(), decoding)
    if head.is_chunked:
        pieces = join_chunks(pieces, decoding)
    body, is_cut = _limited(decode(pieces, list(map(shown, encodings)), decoding))
    if not head.is_whole:
        decoding.problem = incomplete()
    response = OutboundResponse(
        status=head.status,
        reason=shown(head.reason),
        headers=tuple((shown(name), shown(value)) for name, value in head.headers[:MOST_HEADERS]),
        headers_left_out=max(len(head.headers) - MOST_HEADERS, 0),
        body=body,
        is_cut=is_cut or bool(decoding.problem),
        size=len(body),
        explanation=responses.explain(head.status),
        problem=decoding.problem or None,
        location=_location(head),
        notes=(*_notes(head), *dict.fromkeys(decoding.notes)),
    )
    content_type = b", ".join(head.values(b"content-type")).decode("latin-1")
    text = responses.read_text(body, content_type, is_cut=response.is_cut)
    if decoding.unknown and text is not None:
        note = _("The response names an encoding that is not read here: %(encoding)s. It is shown as it came.")
        response = replace(response, notes=(*response.notes, note % {"encoding": decoding.unknown}))
    return _with_data(replace(response, text=text), decoding.unknown)


def _with_data(response: OutboundResponse, encoding: str) -> OutboundResponse:
    text = response.text
    if response.problem:
        return replace(response, unreadable=_("Only a part of the response came, so it is not read."))
    if response.is_cut:
        return replace(response, unreadable=_("The response is longer than 1 MiB and was cut, so it is not read."))
    if text is None and encoding:
        sentence = _("The response has the encoding %(encoding)s, which is not read here. %(size)s came.")
        size = filesizeformat(response.size).replace("\xa0", " ")
        return replace(response, unreadable=sentence % {"encoding": encoding, "size": size})
    if text is None:
        return replace(response, unreadable=_("The response is no text, or not in the encoding that it names."))
    data, unreadable = responses.read_data(text) if text.strip() else (NO_DATA, _("The response is empty."))
    return replace(response, data=data, unreadable=unreadable)


def _received(chunks: Iterable[bytes], decoding: Decoding) -> Iterator[bytes]:
    """Yield the body as it comes, until its end or the deadline."""
    try:
        yield from chunks
    except FAILURES as error:
        decoding.problem = why_cut(error)


def _limited(parts: Iterable[bytes]) -> tuple[bytes, bool]:
    """Read a body until its end or its limit, and return whether it was cut."""
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > MOST_BYTES:
            return bytes(body[:MOST_BYTES]), True
    return bytes(body), False


def _location(head: Head) -> str:
    """Return the first Location, as curl does. Its bytes stay what they are, also if they are no UTF-8."""
    found = next((value for name, value in head.headers if name.lower() == b"location"), b"")
    try:
        found.decode()
    except UnicodeDecodeError:
        found = BEYOND_ASCII.sub(lambda match: b"%%%02X" % match[0][0], found)
    return shown(found)


def _notes(head: Head) -> Iterator[str]:
    if not head.is_sound:
        yield _("Some headers break the rules of HTTP. They are shown as far as they can be read.")
    codings = [coding.lower() for coding in head.values(b"transfer-encoding")]
    if codings.count(b"chunked") > 1:
        yield _("The response names Transfer-Encoding: chunked more than once. Its chunks were read once.")
    lengths = head.values(b"content-length")
    if not codings and len(set(lengths)) > 1:
        yield _("The response names several lengths. It was read to its end.")


def shown(text: bytes) -> str:
    """Decode a part of a head, without control characters."""
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        decoded = text.decode("latin-1")
    return CONTROL.sub("�", decoded)
