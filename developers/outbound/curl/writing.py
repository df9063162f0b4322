"""Writes a recipe as a curl command."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from urllib.parse import quote

from developers.outbound.recipe import CONTENT_TYPES, Recipe


def write(recipe: Recipe) -> str:
    """Write a recipe as a curl command for a POSIX shell. Secrets become shell variables; placeholders stay."""
    variables = _Variables()
    url: list[str | _Variable] = [recipe.url.removesuffix("?") if recipe.parameters else recipe.url]
    for number, each in enumerate(recipe.parameters):
        joint = "?" if number == 0 else "&"
        if each.is_hidden:
            url += [f"{joint}{_encoded(each.name)}=", variables.named(each.name)]
        else:
            url.append(f"{joint}{each.raw or f'{_encoded(each.name)}={_encoded(each.value)}'}")
    lines = [f"curl -X {recipe.method} {_word(url)}"]
    # Otherwise curl expands braces and brackets to several addresses.
    if set("{}[]") & set(lines[0]):
        lines.append("--globoff")
    if recipe.follows_redirects:
        lines.append("--location")
    for header in recipe.headers:
        value = variables.named(header.name) if header.is_hidden else header.value
        # curl omits a header that ends with its colon.
        ending = ":" if header.leaves_out else ";"
        lines.append(f"-H {_word([f'{header.name}: ', value] if header.value else [header.name + ending])}")
    if recipe.sends_body:
        # curl's own default is that of a form.
        if recipe.body_kind != "form" and "content-type" not in (header.name.lower() for header in recipe.headers):
            lines.append(f"-H {_word([f'Content-Type: {CONTENT_TYPES[recipe.body_kind]}'])}")
        lines.append(f"--data-raw {_word([variables.named('body') if recipe.body_is_secret else recipe.body])}")
    return " \\\n  ".join(lines)


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str


class _Variables:
    """Names shell variables, each name once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def named(self, text: str) -> _Variable:
        plain = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").upper()
        plain = plain if plain and not plain[0].isdigit() else f"SECRET_{plain}".rstrip("_")
        name = next(name for name in self._numbered(plain) if name not in self._given)
        self._given.add(name)
        return _Variable(name)

    @staticmethod
    def _numbered(name: str) -> Iterator[str]:
        yield name
        yield from (f"{name}_{number}" for number in count(2))


def _word(pieces: Sequence[str | _Variable]) -> str:
    """Write one word of a shell: texts quoted, and variables in double quotes, which keeps their blanks."""
    text, words = "", []
    for piece in pieces:
        if isinstance(piece, _Variable):
            words += [shlex.quote(text)] if text else []
            words.append(f'"${piece.name}"')
            text = ""
        else:
            text += piece
    return "".join([*words, shlex.quote(text)] if text or not words else words)


def _encoded(text: str) -> str:
    return quote(text, safe="{}")
