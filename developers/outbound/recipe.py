"""The parts of an outbound call, and filling attributes in. Knows no models.

A value may contain the placeholder `{{name}}` of a custom attribute of the contact. `fill` replaces it by the
attribute's value, escaped for its place, so that no value can add a parameter or a header, or change the
structure of the body.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from urllib.parse import quote, quote_plus, unquote

from developers.outbound.fields import (
    ATTRIBUTE_NAME,
    PLACEHOLDER,
    SENSITIVE,
    RecipeField,
    encoded,
    fields_of,
    parameters_of,
    read_parameter,
    with_query,
)
from developers.outbound.sentences import gettext as _
from developers.outbound.sentences import ngettext

__all__ = [
    "ATTRIBUTE_NAME", "BODY_KINDS", "CONTENT_TYPES", "JSON_PARTS", "MASK", "METHODS", "NOT_IN_HEADERS", "NO_BODY",
    "PLACEHOLDER", "SENSITIVE", "AttributeMapping", "Recipe", "RecipeField", "Unfillable", "Value",
    "attributes_in_path_only", "before_path", "dump", "encoded", "fill", "load", "parameters_of", "placeholders",
    "read_parameter", "with_query",
]  # fmt: skip

Value = str | int | float | bool | None

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# The kinds of bodies, with the Content-Type of a call that has none of its own.
CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    # Without its boundary, which each call has anew.
    "multipart": "multipart/form-data",
    "text": "text/plain; charset=utf-8",
}
# The kinds whose bodies are rows of fields.
ROW_KINDS = ("form", "multipart")
NO_BODY = "none"
BODY_KINDS = (NO_BODY, *CONTENT_TYPES)
# RFC 9110, section 5.5: characters that a header's value must not contain.
NOT_IN_HEADERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
MASK = "••••••••"
# Characters that attributes may add to a call: more than can be sent. A placeholder may occur thousands of times.
MOST_FILLED_IN = 1_000_000
# The parts of JSON that filling looks at: placeholders, escapes, and the quotes around strings.
JSON_PARTS = re.compile(rf'{PLACEHOLDER.pattern}|\\.|"', re.ASCII | re.DOTALL)
BEFORE_PATH = re.compile(r"[^/?#]*//[^/?#]*")


class Unfillable(Exception):
    """Attributes cannot be filled into a recipe. The text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class AttributeMapping:
    """The path of a value in the response, and the custom attribute that gets it."""

    path: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """An outbound call. The URL has no query: its parameters are separate.

    body_kind: a key of `CONTENT_TYPES`, or `NO_BODY` for a body that is kept but not sent.
    body, body_fields: one of the two is sent, by the kind; the other one is only kept.
    """

    method: str
    url: str
    parameters: tuple[RecipeField, ...] = ()
    headers: tuple[RecipeField, ...] = ()
    body: str = field(default="", repr=False)
    body_kind: str = "json"
    body_is_secret: bool = False
    body_fields: tuple[RecipeField, ...] = ()
    mappings: tuple[AttributeMapping, ...] = ()
    follows_redirects: bool = False

    @property
    def sends_body(self) -> bool:
        """Whether there is a body, if only an empty one. No JSON is empty."""
        return self.body_kind != NO_BODY and (self.body_kind != "json" or bool(self.body.strip()))

    @property
    def sent_fields(self) -> tuple[RecipeField, ...]:
        """The fields of the body, if its kind sends them."""
        return self.body_fields if self.body_kind in ROW_KINDS else ()

    @property
    def sent_text(self) -> str:
        """The text of the body, if its kind sends it."""
        return self.body if self.sends_body and self.body_kind not in ROW_KINDS else ""

    @property
    def content_type(self) -> str | None:
        """The Content-Type in the headers, if there is one."""
        return next((header.value for header in self.headers if header.name.lower() == "content-type"), None)

    @property
    def is_form_text(self) -> bool:
        """Whether the body is a form that is written as a text, since rows cannot hold it."""
        named = (self.content_type or "").partition(";")[0].strip().lower()
        return self.body_kind == "text" and named == CONTENT_TYPES["form"]


PARTS = {
    "parameters": RecipeField,
    "headers": RecipeField,
    "body_fields": RecipeField,
    "mappings": AttributeMapping,
}


def dump(recipe: Recipe) -> str:
    """Write a recipe as JSON, for sealing."""
    return json.dumps(asdict(recipe), ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> Recipe:
    """Read the result of `dump`. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
    parts = json.loads(text)
    # Before there were kinds, each body was JSON, and GET sent none.
    parts.setdefault("body_kind", NO_BODY if parts["method"] == "GET" else "json")
    for name, kind in PARTS.items():
        parts[name] = tuple(kind(**part) for part in parts.get(name, ()))
    return _with_rows(Recipe(**parts))


def _with_rows(recipe: Recipe) -> Recipe:
    """Turn the text of a form, which once was its body, into rows, or into a text of the same Content-Type."""
    if recipe.body_kind != "form" or not recipe.body or recipe.body_fields:
        return recipe
    fields = fields_of(recipe.body)
    if fields is None:
        named = () if recipe.content_type is not None else (RecipeField("Content-Type", CONTENT_TYPES["form"]),)
        return replace(recipe, body_kind="text", headers=(*recipe.headers, *named))
    hidden = recipe.body_is_secret
    fields = tuple(replace(each, is_secret=hidden or each.is_hidden) for each in fields)
    return replace(recipe, body="", body_is_secret=False, body_fields=fields)


def placeholders(recipe: Recipe) -> list[str]:
    """Return the names of a recipe's placeholders, each once, in the order of first use."""
    texts = [recipe.url, *(part.value for part in (*recipe.parameters, *recipe.headers))]
    texts += [text for part in recipe.sent_fields for text in (part.name, part.value)]
    texts.append(recipe.sent_text)
    found: dict[str, str] = {}
    for text in texts:
        for name in PLACEHOLDER.findall(text):
            found.setdefault(name.lower(), name)
    return list(found.values())


def before_path(url: str) -> str:
    """Return scheme and server of a URL, or the whole text if it has none."""
    match = BEFORE_PATH.match(url)
    return match[0] if match else url


def attributes_in_path_only() -> str:
    # Otherwise the author of an attribute, such as a contact, would choose the server that gets the secrets.
    return _("An attribute may stand in the path of the URL, not in the name of the server.")


def fill(recipe: Recipe, attributes: Mapping[str, Value]) -> Recipe:
    """Replace the placeholders by the values of attributes, ignoring the case of names.

    Raises `Unfillable` if one has no value, or a value that does not fit its place.
    """
    filler = _Filler(attributes)
    filled = replace(
        recipe,
        url=filler.url(recipe.url),
        parameters=tuple(filler.parameter(part) for part in recipe.parameters),
        headers=tuple(replace(part, value=filler.header(part.value)) for part in recipe.headers),
        body=filler.body("form" if recipe.is_form_text else recipe.body_kind, recipe.body)
        if recipe.sent_text
        else recipe.body,
        body_fields=tuple(map(filler.field, recipe.body_fields)) if recipe.sent_fields else recipe.body_fields,
    )
    if filler.missing:
        sentence = ngettext(
            "This call needs the attribute %(names)s, which has no value.",
            "This call needs the attributes %(names)s, which have no values.",
            len(filler.missing),
        )
        raise Unfillable(sentence % {"names": ", ".join(filler.missing)})
    return filled


class _Filler:
    """Fills each text with the escapes of its place, and collects the names without a value."""

    def __init__(self, attributes: Mapping[str, Value]) -> None:
        self._values = {name.lower(): value for name, value in attributes.items()}
        self._room = MOST_FILLED_IN
        self.missing: dict[str, None] = {}

    def text(self, template: str) -> str:
        return PLACEHOLDER.sub(lambda match: self._text(match[1]), template)

    def parameter(self, part: RecipeField) -> RecipeField:
        value = self.text(part.value)
        return part if value == part.value else replace(part, value=value, raw="")

    def field(self, part: RecipeField) -> RecipeField:
        filled = replace(part, name=self.text(part.name), value=self.text(part.value))
        return part if filled == part else replace(filled, raw="")

    def header(self, template: str) -> str:
        def fill_in(match: re.Match[str]) -> str:
            value = self._text(match[1])
            if NOT_IN_HEADERS.search(value):
                sentence = _("The attribute %(name)s holds a line break, which a header cannot carry.")
                raise Unfillable(sentence % {"name": match[1]})
            return value

        return PLACEHOLDER.sub(fill_in, template)

    def url(self, template: str) -> str:
        server = before_path(template)
        if PLACEHOLDER.search(server):
            raise Unfillable(attributes_in_path_only())
        return server + "/".join(self._segment(segment) for segment in template[len(server) :].split("/"))

    def body(self, kind: str, template: str) -> str:
        if kind == "form":
            return PLACEHOLDER.sub(lambda match: quote_plus(self._text(match[1])), template)
        return self._json(template) if kind == "json" else self.text(template)

    def _json(self, template: str) -> str:
        """Fill JSON: inside a string as part of the string, elsewhere as a JSON value."""
        is_inside = False

        def fill_in(match: re.Match[str]) -> str:
            nonlocal is_inside
            if match[1] is None:
                is_inside ^= match[0] == '"'
                return match[0]
            if is_inside:
                return json.dumps(self._text(match[1]), ensure_ascii=False)[1:-1]
            return self._value(match[1])

        return JSON_PARTS.sub(fill_in, template)

    def _segment(self, template: str) -> str:
        def fill_in(match: re.Match[str]) -> str:
            value = self._text(match[1])
            if not value:
                # With an empty id, /orders/{{id}} would address all orders.
                self.missing[match[1]] = None
            return quote(value, safe="")

        filled = PLACEHOLDER.sub(fill_in, template)
        # Proxies and servers may decode %2F, and then treat the parts between as segments.
        if filled != template and not {".", ".."}.isdisjoint(re.split(r"[/\\]", unquote(unquote(filled)))):
            raise Unfillable(_("An attribute would lead the URL to another path: it is %(text)s.") % {"text": filled})
        return filled

    def _value(self, name: str) -> str:
        """Return the attribute as JSON; an attribute that is None becomes null."""
        value = self._values.get(name.lower())
        if isinstance(value, str) or name.lower() not in self._values:
            return json.dumps(self._text(name), ensure_ascii=False)
        return "null" if value is None else self._text(name)

    def _text(self, name: str) -> str:
        value = self._values.get(name.lower())
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            self.missing[name] = None
            return ""
        text = value if isinstance(value, str) else json.dumps(value)
        if any("\ud800" <= character <= "\udfff" for character in text):
            sentence = _("The attribute %(name)s holds half a character, which cannot be sent.")
            raise Unfillable(sentence % {"name": name})
        self._room -= len(text)
        if self._room < 0:
            raise Unfillable(_("With these attributes the call is longer than can be sent."))
        return text
