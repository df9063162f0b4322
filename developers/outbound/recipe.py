"""What an outbound call is made of, before and after attributes are filled in. No models here.

A value may hold `{{name}}`, which stands for a custom attribute of the contact that a call is
made for. `fill` puts the attribute's value in its place, escaped as the place demands, so that no
value can become a second parameter, a second header or another structure of the body.
"""

import json
import re
from dataclasses import asdict, dataclass, field

Value = str | int | float | bool | None

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ATTRIBUTE_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,59}"
PLACEHOLDER = re.compile(rf"\{{\{{[ \t]*({ATTRIBUTE_NAME})[ \t]*\}}\}}", re.ASCII)
# RFC 9110, section 5.5: what a header's value may not hold.
NOT_IN_HEADERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
MASK = "••••••••"


class Unfillable(Exception):
    """Attributes do not fit the places that a recipe has for them. The text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a header."""

    name: str
    value: str = field(repr=False)
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where in the response a value is found, and the custom attribute that takes it."""

    path: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """An outbound call. The URL is without its query, which the parameters are."""

    method: str
    url: str
    parameters: tuple[Field, ...] = ()
    headers: tuple[Field, ...] = ()
    body: str = field(default="", repr=False)
    body_is_secret: bool = False
    mappings: tuple[Mapping, ...] = ()
    follows_redirects: bool = False

    @property
    def sends_body(self) -> bool:
        return self.method != "GET" and bool(self.body.strip())


def dump(recipe: Recipe) -> str:
    """Write a recipe as JSON, for sealing."""
    return json.dumps(asdict(recipe), ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> Recipe:
    """Read what `dump` wrote. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
    parts = json.loads(text)
    for name, kind in (("parameters", Field), ("headers", Field), ("mappings", Mapping)):
        parts[name] = tuple(kind(**part) for part in parts[name])
    return Recipe(**parts)


def placeholders(recipe: Recipe) -> list[str]:
    """The names of the attributes that a recipe asks for, in the order of their first use, each once."""
    texts = [recipe.url]
    for part in (*recipe.parameters, *recipe.headers):
        texts += [part.name, part.value]
    if recipe.sends_body:
        texts.append(recipe.body)
    found = [name for text in texts for name in PLACEHOLDER.findall(text)]
    return list({name.lower(): name for name in reversed(found)}.values())[::-1]
