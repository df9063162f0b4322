"""Reads a pasted curl command as a recipe."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote_plus, urlsplit, urlunsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from developers.outbound.curl.options import (
    DATA,
    REFUSED,
    SUPPORTED_WITH_VALUE,
    InvalidCommand,
    options_of,
    spelled,
    split_words,
)
from developers.outbound.recipe import METHODS, Recipe, RecipeField

NO_ADDRESS = gettext_lazy("The command names no URL. It needs one, like https://api.example.com/orders.")
VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


@dataclass(frozen=True, slots=True)
class ImportedCall:
    """A recipe, and sentences about the parts of the command that are not in it."""

    recipe: Recipe
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Parts:
    """The options of a command, collected."""

    method: str = ""
    url: str = ""
    headers: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    data_is_query: bool = False
    follows_redirects: bool = False
    ignored: list[str] = field(default_factory=list)


def read(command: str) -> ImportedCall:
    """Make a recipe of a pasted curl command.

    Raises `InvalidCommand` if it is no curl command, would read a file, or has an unknown option.
    """
    parts = _Parts()
    for name, value in options_of(split_words(command)):
        _apply(parts, name, value)
    # curl would accept `-- -a` as an address, but no server has such a name.
    if not parts.url or parts.url.startswith("-"):
        raise InvalidCommand(str(NO_ADDRESS))
    method = _method(parts)
    try:
        split = urlsplit(parts.url if "://" in parts.url else f"https://{parts.url}")
    except ValueError:
        raise InvalidCommand(str(NO_ADDRESS)) from None
    body = "&".join(parts.data)
    queries = [split.query, *([body] if parts.data_is_query else [])]
    recipe = Recipe(
        method=method,
        url=urlunsplit((split.scheme, split.netloc, split.path, "", "")),
        parameters=tuple(
            RecipeField(name, value) for query in queries for name, value in parse_qsl(query, keep_blank_values=True)
        ),
        headers=tuple(_headers(parts.headers)),
        body="" if parts.data_is_query else body,
        follows_redirects=parts.follows_redirects,
    )
    return ImportedCall(recipe, tuple(_notes(parts, command)))


def _apply(parts: _Parts, name: str, value: str) -> None:
    """Add an option to the parts, or to the ignored options."""
    if refusal := REFUSED.get(name):
        raise InvalidCommand(str(refusal))
    if name in DATA:
        parts.data.append(_data(name, value))
        if name == "json":
            parts.headers += ["Content-Type: application/json", "Accept: application/json"]
    elif name == "url":
        if parts.url:
            raise InvalidCommand(_("The command names two URLs. Paste one call at a time."))
        parts.url = value
    elif name == "request":
        parts.method = value.upper()
    elif name == "get":
        parts.data_is_query = True
    elif name == "location":
        parts.follows_redirects = True
    elif name in SUPPORTED_WITH_VALUE:
        parts.headers.append(_header(name, value))
    elif name != "globoff":
        parts.ignored.append(name)


def _data(name: str, value: str) -> str:
    if (name != "data-raw" and value.startswith("@")) or (name == "data-urlencode" and "@" in value.partition("=")[0]):
        raise InvalidCommand(
            _("The body is to come from a file. Files are not read: paste the body itself in its place.")
        )
    if name != "data-urlencode":
        return value
    key, has_key, text = value.rpartition("=") if value.startswith("=") else value.partition("=")
    return f"{key}={quote_plus(text)}" if has_key and key else quote_plus(text or key)


def _header(name: str, value: str) -> str:
    if (name == "cookie" and "=" not in value) or (name == "header" and value.startswith("@")):
        raise InvalidCommand(
            _("Headers are to come from a file. Files are not read: paste the header itself in its place.")
        )
    if name == "user":
        return f"Authorization: Basic {base64.b64encode(value.encode()).decode()}"
    if name == "oauth2-bearer":
        return f"Authorization: Bearer {value}"
    return value if name == "header" else f"{name.title()}: {value}"


def _method(parts: _Parts) -> str:
    method = parts.method or ("POST" if parts.data and not parts.data_is_query else "GET")
    if method not in METHODS:
        raise InvalidCommand(
            _("The method %(method)s is not offered. It is one of %(methods)s.")
            % {"method": method[:20], "methods": ", ".join(METHODS)}
        )
    return method


def _headers(texts: list[str]) -> Iterator[RecipeField]:
    for text in texts:
        # curl sends "Name;" as a header without a value, and "Name:" removes one of its own headers.
        name, colon, value = text.partition(":")
        if colon and value.strip():
            yield RecipeField(name.strip(), value.strip())
        elif not colon and text.endswith(";"):
            yield RecipeField(text[:-1].strip(), "")


def _notes(parts: _Parts, command: str) -> Iterator[str]:
    if "insecure" in parts.ignored:
        yield _("--insecure is left out: certificates are always checked.")
    others = list(dict.fromkeys(spelled(name) for name in parts.ignored if name != "insecure"))
    if others:
        yield _("Left out, because calls here don't support them: %(options)s.") % {"options": ", ".join(others)}
    variables = list(dict.fromkeys(f"${name}" for name in VARIABLE.findall(command)))
    if variables:
        yield _("Replace these shell variables by values: %(names)s.") % {"names": ", ".join(variables)}
