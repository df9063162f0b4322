"""Masks secrets in the log of a call."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus

from developers import tokens
from developers.outbound.body import body_of
from developers.outbound.recipe import MASK, SENSITIVE, Recipe, RecipeField, encoded, with_query
from developers.outbound.token_search import holds_token

# Each word of at least this length in a secret such as "Bearer 1a2b3c" is a secret too.
LEAST_WORD = 6
# Each text of at least this length in a secret body is a secret; shorter ones reveal nothing.
LEAST_TEXT = 4
# Searching takes time for each spelling. With more of them no text is logged at all.
MOST_SPELLINGS = 500
# Bytes that are logged of a URL and of a header's value: more than is ever sent.
KEPT_OF_A_LINE = 16 * 1024
# A parameter of a URL; servers put tokens behind # too.
PARAMETER_OF_URL = re.compile(r"(?<=[?&#])([^=&#]+)=([^&#]+)")
# Stands for the mask while masking. PostgreSQL stores no NUL, so no logged text contains one.
HIDDEN = "\0"


def _from_base64(word: str) -> str:
    """Decode base64 of either alphabet, padded or not, to text. Return an empty string if it is none."""
    letters = word.rstrip("=").replace("-", "+").replace("_", "/")
    # A single remaining letter is less than a byte.
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True).decode()
    except ValueError:
        return ""


class Mask:
    """Masks the secrets of one call everywhere: in the request, and where the server echoes them."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        # The longest first: one secret may contain another.
        self._ways = sorted(_spellings(recipe), key=len, reverse=True)

    def text(self, text: str) -> str:
        return self._hide(text).replace(HIDDEN, MASK)

    def beginning(self, text: str, most: int) -> str:
        """Mask the beginning of a text, and cut it to `most` bytes."""
        longest = max([tokens.LENGTH, *map(len, self._ways[:1])])
        hidden = self._hide(text[: most + longest])
        if len(text) > most + longest:
            # The cut may split a secret, which is then not recognised.
            hidden = hidden[:-longest]
        return hidden.replace(HIDDEN, MASK).encode(errors="replace")[:most].decode(errors="ignore")

    def url(self) -> str:
        # The mask is not percent-encoded: people read this.
        query = "&".join(
            f"{quote(part.name, safe='')}={MASK}" if part.is_hidden else encoded(part)
            for part in self._recipe.parameters
        )
        return self.beginning(with_query(self._recipe.url, query), KEPT_OF_A_LINE)

    def address(self, url: str, most: int) -> str:
        """Mask a URL that was sent, or that a server redirected to, and cut it to `most` bytes."""
        hidden = {part.name for part in self._recipe.parameters if part.is_hidden}

        def mask(parameter: re.Match[str]) -> str:
            name = unquote_plus(parameter[1])
            return f"{parameter[1]}={MASK}" if name in hidden or SENSITIVE.search(name) else parameter[0]

        return self.beginning(PARAMETER_OF_URL.sub(mask, url), most)

    def request_headers(self, sent: tuple[tuple[str, str], ...] | None = None) -> list[list[str]]:
        """Mask the headers that were sent, or if none were, those of the recipe."""
        headers = [(part.name, part.value) for part in self._recipe.headers] if sent is None else sent
        names = {part.name.lower() for part in self._recipe.headers if part.is_hidden}
        return [self._header(name, value, name.lower() in names) for name, value in headers]

    def response_headers(self, headers: tuple[tuple[str, str], ...]) -> list[list[str]]:
        return [
            [self.text(name), self.address(value, KEPT_OF_A_LINE)]
            if name.lower() == "location"
            else self._header(name, value, RecipeField(name, value).is_hidden)
            for name, value in headers
        ]

    def request_body(self, most: int) -> str:
        if not self._recipe.sends_body:
            return ""
        if self._recipe.sent_text and self._recipe.body_is_secret:
            return MASK
        fields = tuple(
            replace(each, value=MASK, raw=f"{quote_plus(each.name)}={MASK}") if each.is_hidden and each.value else each
            for each in self._recipe.sent_fields
        )
        return self.beginning(body_of(replace(self._recipe, body_fields=fields)), most)

    def _hide(self, text: str) -> str:
        """Replace each secret by `HIDDEN`, which makes no text longer."""
        if len(self._ways) > MOST_SPELLINGS:
            return HIDDEN if text else ""
        text = text.replace(HIDDEN, "�")
        for way in self._ways:
            text = text.replace(way, HIDDEN)
        text = tokens.PATTERN.sub(lambda match: tokens.mask(match[0][-tokens.HINT_LENGTH :]), text)
        # The position of an encoded token is unknown, so the whole text is masked.
        return HIDDEN if holds_token(text) else text

    def _header(self, name: str, value: str, is_hidden: bool) -> list[str]:
        return [self.text(name), MASK if is_hidden and value else self.beginning(value, KEPT_OF_A_LINE)]


def _spellings(recipe: Recipe) -> set[str]:
    """Return the ways in which the secrets may be written; stops once there are over `MOST_SPELLINGS`."""
    secrets: set[str] = set()
    ways: set[str] = set()
    for secret in _secrets(recipe):
        if secret not in secrets:
            secrets.add(secret)
            ways.update(_ways_to_write(secret))
        if len(ways) > MOST_SPELLINGS:
            break
    return ways


def _secrets(recipe: Recipe) -> Iterator[str]:
    for part in (*recipe.parameters, *recipe.headers, *recipe.sent_fields):
        value = part.value.strip()
        if part.is_hidden and value:
            yield value
            if part.raw:
                yield part.raw.partition("=")[2]
            for word in dict.fromkeys(value.split()):
                if len(word) >= LEAST_WORD:
                    yield word
                    # A server may echo either half of Basic's "user:password".
                    yield from (text for text in _from_base64(word).split(":") if len(text) >= LEAST_TEXT)
    if recipe.sent_text and recipe.body_is_secret:
        yield recipe.body
        yield from _texts(recipe)
    elif recipe.sent_text:
        yield from _sensitive_texts(recipe)


def _texts(recipe: Recipe) -> Iterator[str]:
    yield from (leaf.text for leaf in _leaves(recipe) if len(leaf.text) >= LEAST_TEXT)
    if recipe.body_kind == "text":
        yield from (word for word in dict.fromkeys(recipe.body.split()) if len(word) >= LEAST_WORD)


def _sensitive_texts(recipe: Recipe) -> Iterator[str]:
    """Yield the texts under names such as "password", at any depth: they are secrets even if not marked as such."""
    for leaf in _leaves(recipe):
        is_long = len(leaf.text) >= LEAST_TEXT
        if (is_long and (leaf.is_named or leaf.is_below)) or (leaf.is_named and leaf.text and not leaf.is_number):
            yield leaf.text


class _Number(str):
    """A number as JSON writes it."""

    __slots__ = ()


class _Leaf(NamedTuple):
    """A text or number of JSON. `is_named`: its own name marks a secret; `is_below`: an outer name does."""

    text: str
    is_named: bool
    is_below: bool

    @property
    def is_number(self) -> bool:
        return isinstance(self.text, _Number)


def _leaves(recipe: Recipe) -> Iterator[_Leaf]:
    """Yield every text and number of a body that is JSON, and every value of a form that is a text."""
    if recipe.is_form_text:
        for name, value in parse_qsl(recipe.body, keep_blank_values=True):
            yield _Leaf(value, SENSITIVE.search(name) is not None, is_below=False)
    yield from _leaves_of_json(recipe.body)


def _leaves_of_json(body: str) -> Iterator[_Leaf]:
    """Yield every text and number, in no particular order; nothing if it is no JSON."""
    try:
        left = [(json.loads(body, parse_int=_Number, parse_float=_Number), False, False)]
    except (ValueError, RecursionError):
        return
    while left:
        value, is_named, is_below = left.pop()
        if isinstance(value, dict):
            left.extend((inner, _is_sensitive(key, inner), is_named or is_below) for key, inner in value.items())
        elif isinstance(value, list):
            left.extend((inner, is_named, is_below) for inner in value)
        elif isinstance(value, str):
            yield _Leaf(value, is_named, is_below)


def _is_sensitive(name: str, value: Any) -> bool:
    # "max_tokens" and the like count tokens.
    is_count = isinstance(value, _Number) and name.lower().endswith("tokens")
    return not is_count and SENSITIVE.search(name) is not None


def _ways_to_write(secret: str) -> Iterator[str]:
    # JSON may contain lone surrogates, which cannot be encoded for URLs.
    whole = secret.encode(errors="replace").decode()
    yield from (secret, quote(whole, safe=""), quote(whole), quote_plus(whole), escape(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
