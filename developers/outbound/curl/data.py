"""The pieces of a body, joined as curl joins them."""

import re
from urllib.parse import quote, quote_plus

from django.utils.translation import gettext as _

from developers.outbound.curl.problems import InvalidCommand


def joined(body: str | None, name: str, value: str) -> str:
    """Return a body with one more piece. Raises `InvalidCommand` if the piece is in a file."""
    is_file = _names_file(value) if name == "data-urlencode" else name != "data-raw" and value.startswith("@")
    if is_file:
        raise InvalidCommand(
            _("The body is to come from a file. Files are not read: paste the body itself in its place.")
        )
    piece = urlencoded(value) if name == "data-urlencode" else value
    if body is None:
        return piece
    return f"{body}{piece}" if name == "json" else f"{body}&{piece}"


def query_piece(value: str) -> str:
    """Return what --url-query adds: its value as --data-urlencode has it, or after + as it is."""
    if value.startswith("+"):
        return value[1:]
    if _names_file(value):
        raise InvalidCommand(
            _("A part of the query is to come from a file. Files are not read: paste the part itself in its place.")
        )
    return urlencoded(value)


def as_query(piece: str) -> str:
    """Return a piece as curl adds it to a URL: with the digits of its escapes in lower case."""
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), piece, flags=re.ASCII)


def as_path(path: str) -> str:
    """Return the path of a URL as curl writes it: letters beyond ASCII as escapes with lower-case digits."""
    return re.sub(r"[^\x00-\x7f]+", lambda match: quote(match[0]).lower(), path)


def urlencoded(value: str) -> str:
    """Encode "name=text", "=text" or "text"; the name is encoded already."""
    name, is_named, text = value.partition("=")
    if not is_named:
        return quote_plus(value)
    return f"{name}={quote_plus(text)}" if name else quote_plus(text)


def _names_file(value: str) -> bool:
    return "=" not in value and "@" in value
