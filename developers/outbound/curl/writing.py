"""Writes a recipe as a curl command."""

import hashlib
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, zip_longest
from urllib.parse import quote, quote_plus

from developers.outbound.body import MULTIPART, multipart
from developers.outbound.recipe import CONTENT_TYPES, PLACEHOLDER, Recipe, RecipeField

ESCAPES = {ord("\\"): "\\\\", ord("'"): "\\'", ord("\r"): "\\r", ord("\n"): "\\n"}


def write(recipe: Recipe) -> str:
    """Write a recipe as a curl command for a POSIX shell. Secrets become shell variables; placeholders stay."""
    variables = _Variables()
    url: list[str | _Variable] = [recipe.url.removesuffix("?") if recipe.parameters else recipe.url]
    for number, each in enumerate(recipe.parameters):
        joint = "?" if number == 0 else "&"
        if each.is_hidden:
            url += [f"{joint}{_encoded(each.name)}=", variables.named(each.name)]
        else:
            url.append(f"{joint}{each.raw or _pair(each)}")
    lines = [f"curl -X {recipe.method} {_word(url)}"]
    # Otherwise curl expands braces and brackets to several addresses.
    if set("{}[]") & set(lines[0]):
        lines.append("--globoff")
    if recipe.follows_redirects:
        lines.append("--location")
    for header in recipe.headers:
        if recipe.body_kind == "multipart" and header.name.lower() == "content-type":
            # curl writes its own, with a boundary that an own one would hide.
            continue
        value = variables.named(header.name) if header.is_hidden else header.value
        # curl omits a header that ends with its colon.
        ending = ":" if header.leaves_out else ";"
        lines.append(f"-H {_word([f'{header.name}: ', value] if header.value else [header.name + ending])}")
    if recipe.sends_body:
        lines += _body(recipe, variables)
    return " \\\n  ".join(lines)


def _body(recipe: Recipe, variables: "_Variables") -> Iterator[str]:
    if recipe.body_kind == "multipart" and any("=" in each.name for each in recipe.body_fields):
        yield from _written_out(recipe.body_fields, variables)
    elif recipe.body_kind == "multipart":
        yield from (_multipart_field(each, variables) for each in recipe.body_fields)
    elif recipe.body_kind == "form":
        yield from _form(recipe, variables)
    else:
        if recipe.content_type is None:
            yield f"-H {_word([f'Content-Type: {CONTENT_TYPES[recipe.body_kind]}'])}"
        yield f"--data-raw {_word([variables.named('body') if recipe.body_is_secret else recipe.body])}"


def _form(recipe: Recipe, variables: "_Variables") -> Iterator[str]:
    """Write a form. curl sends its Content-Type by itself, and joins what it gets by ampersands."""
    shown = ""
    for each in recipe.body_fields:
        if each.is_hidden:
            if shown:
                yield f"--data-raw {_word([shown])}"
                shown = ""
            # A variable holds the value as it is typed; curl encodes it.
            yield f"--data-urlencode {_word([f'{_encoded(each.name, quote_plus)}=', variables.named(each.name)])}"
        else:
            shown += f"{'&' if shown else ''}{each.raw or _pair(each, quote_plus)}"
    if shown or not recipe.body_fields:
        yield f"--data-raw {_word([shown])}"


def _multipart_field(each: RecipeField, variables: "_Variables") -> str:
    value = variables.named(each.name) if each.is_hidden else each.value
    if not each.content_type:
        return f"--form-string {_word([f'{each.name}=', value])}"
    # In quotation marks -F knows neither files nor semicolons.
    quoted = value if isinstance(value, _Variable) else re.sub(r'(["\\])', r"\\\1", value)
    begin, end = f'{each.name}="', f'";type={each.content_type}'
    return f"-F {_word([begin, quoted, end])}"


def _written_out(fields: tuple[RecipeField, ...], variables: "_Variables") -> Iterator[str]:
    """Write the parts themselves: no option of curl takes a name with an equals sign."""
    shown = multipart([replace(each, value="\0") if each.is_hidden else each for each in fields], "\1")
    boundary = f"{'-' * 24}{hashlib.sha256(shown.encode()).hexdigest()[:32]}"
    texts = (_escaped(text) for text in shown.replace("\1", boundary).split("\0"))
    values = [f'"${variables.named(each.name).name}"' for each in fields if each.is_hidden]
    yield f"-H 'Content-Type: {MULTIPART}; boundary={boundary}'"
    yield "--data-raw " + "".join(chain.from_iterable(zip_longest(texts, values, fillvalue="")))


def _quoted(text: str) -> str:
    return _escaped(text) if "\r" in text else shlex.quote(text)


def _escaped(text: str) -> str:
    """Quote a text for bash with its line breaks as escapes, which no clipboard changes."""
    return "$'" + text.translate(ESCAPES) + "'"


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
            words += [_quoted(text)] if text else []
            words.append(f'"${piece.name}"')
            text = ""
        else:
            text += piece
    return "".join([*words, _quoted(text)] if text or not words else words)


def _pair(each: RecipeField, write: Callable[..., str] = quote) -> str:
    return f"{_encoded(each.name, write)}={_encoded(each.value, write)}"


def _encoded(text: str, write: Callable[..., str] = quote) -> str:
    """Encode a text, but for its placeholders: a call fills them in."""
    found, place = "", 0
    for match in PLACEHOLDER.finditer(text):
        found += f"{write(text[place : match.start()], safe='')}{{{{{write(match[0][2:-2], safe='')}}}}}"
        place = match.end()
    return found + write(text[place:], safe="")
