"""Keeping secrets out of what is kept of a call."""

import base64
import json
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, urlencode

from developers import tokens
from developers.outbound.recipe import MASK, SENSITIVE, Recipe, RecipeField
from developers.outbound.token_search import holds_token

# Of a secret in several words, "Bearer 1a2b3c" say, each word of this length is one too.
LEAST_WORD = 6
# Of a secret body each text in it is one, and shorter ones say nothing.
LEAST_TEXT = 4
# Each is looked for in all that is kept, which takes its time; with more of them no text is kept at all.
MOST_SPELLINGS = 500
# What is kept of a URL, and of a header's value, in bytes: more than is ever sent.
KEPT_OF_A_LINE = 16 * 1024
# PostgreSQL stores no NUL, so no text that is kept holds one.
HIDDEN = "\0"


def _from_base64(word: str) -> str:
    """Decode base64 of either alphabet, padded or not, to text, or return nothing."""
    letters = word.rstrip("=").replace("-", "+").replace("_", "/")
    # One letter on top is not yet a byte.
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True).decode()
    except ValueError:
        return ""


class Mask:
    """Hides the secrets of one call wherever they turn up, in the request as in what the server echoes."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        # The longest first: of two secrets one may hold the other.
        self._ways = sorted(_spellings(recipe), key=len, reverse=True)

    def text(self, text: str) -> str:
        return self._hide(text).replace(HIDDEN, MASK)

    def beginning(self, text: str, most: int) -> str:
        """Mask the beginning of a text, and cut it to so many bytes."""
        longest = max([tokens.LENGTH, *map(len, self._ways[:1])])
        hidden = self._hide(text[: most + longest])
        if len(text) > most + longest:
            # A secret may be cut through there, and then nothing tells it.
            hidden = hidden[:-longest]
        return hidden.replace(HIDDEN, MASK).encode(errors="replace")[:most].decode(errors="ignore")

    def url(self) -> str:
        parameters = [(part.name, MASK if part.is_hidden else part.value) for part in self._recipe.parameters]
        # The mask as it is, for people to read.
        query = urlencode(parameters).replace(quote_plus(MASK), MASK)
        return self.beginning(f"{self._recipe.url}?{query}" if query else self._recipe.url, KEPT_OF_A_LINE)

    def request_headers(self) -> list[list[str]]:
        return [self._header(part.name, part.value, part.is_hidden) for part in self._recipe.headers]

    def response_headers(self, headers: tuple[tuple[str, str], ...]) -> list[list[str]]:
        return [self._header(name, value, RecipeField(name, value).is_hidden) for name, value in headers]

    def request_body(self, most: int) -> str:
        if not self._recipe.sends_body:
            return ""
        return MASK if self._recipe.body_is_secret else self.beginning(self._recipe.body, most)

    def _hide(self, text: str) -> str:
        """Put `HIDDEN` in the place of each secret, which makes no text longer."""
        if len(self._ways) > MOST_SPELLINGS:
            return HIDDEN if text else ""
        text = text.replace(HIDDEN, "�")
        for way in self._ways:
            text = text.replace(way, HIDDEN)
        text = tokens.PATTERN.sub(lambda match: tokens.mask(match[0][-tokens.HINT_LENGTH :]), text)
        # In another encoding it is found, and not where: nothing is kept of what holds one so.
        return HIDDEN if holds_token(text) else text

    def _header(self, name: str, value: str, is_hidden: bool) -> list[str]:
        return [self.text(name), MASK if is_hidden and value else self.beginning(value, KEPT_OF_A_LINE)]


def _spellings(recipe: Recipe) -> set[str]:
    """How each secret may be written; where there are too many, no more of them than that shows."""
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
    for part in (*recipe.parameters, *recipe.headers):
        value = part.value.strip()
        if part.is_hidden and value:
            yield value
            for word in dict.fromkeys(value.split()):
                if len(word) >= LEAST_WORD:
                    yield word
                    # Of Basic's "user:password" a server may echo either.
                    yield from (text for text in _from_base64(word).split(":") if len(text) >= LEAST_TEXT)
    if recipe.sends_body and recipe.body_is_secret:
        yield recipe.body
        yield from _texts(recipe.body)
    elif recipe.sends_body:
        yield from _sensitive_texts(recipe.body)


def _texts(body: str) -> Iterator[str]:
    yield from (leaf.text for leaf in _leaves(body) if len(leaf.text) >= LEAST_TEXT)


def _sensitive_texts(body: str) -> Iterator[str]:
    """What stands in a body under names such as "password", or further below them, is a secret, marked or not."""
    for leaf in _leaves(body):
        is_telling = len(leaf.text) >= LEAST_TEXT
        if (is_telling and (leaf.is_named or leaf.is_below)) or (leaf.is_named and leaf.text and not leaf.is_number):
            yield leaf.text


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


class _Leaf(NamedTuple):
    """A text or number of JSON; whether its own name says that it is a secret, and whether an outer one does."""

    text: str
    is_named: bool
    is_below: bool

    @property
    def is_number(self) -> bool:
        return isinstance(self.text, _Number)


def _leaves(body: str) -> Iterator[_Leaf]:
    """Every text and number of a body, in no order; none where it is no JSON."""
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
    # "max_tokens" and the like are numbers of tokens.
    is_count = isinstance(value, _Number) and name.lower().endswith("tokens")
    return not is_count and SENSITIVE.search(name) is not None


def _ways_to_write(secret: str) -> Iterator[str]:
    # JSON may hold half characters, which no URL can.
    whole = secret.encode(errors="replace").decode()
    yield from (secret, quote(whole, safe=""), quote(whole), quote_plus(whole), escape(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
