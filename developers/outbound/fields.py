"""A field of a call: a parameter, a header or a field of a form; and how URLs and forms spell it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, quote_plus

ATTRIBUTE_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,59}"
PLACEHOLDER = re.compile(rf"\{{\{{[ \t]*({ATTRIBUTE_NAME})[ \t]*\}}\}}", re.ASCII)
# With the ampersands around it that separate nothing.
PARAMETER = re.compile(r"(?:^|(?<=[^&])&)(&*[^&]+(?:&+\Z)?)")
# What an input of HTML loses or changes; JSON and halves of characters stay a text.
NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f]|.{201}")
NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
NOT_IN_ROWS = re.compile(r"\A\s*(?:\[|\{(?!\{))|[\ud800-\udfff]")
# Names of secret values. Rather too many than too few: a hidden value still works.
SENSITIVE = re.compile(
    r"(?i)auth(?!ors?(?:[^a-z]|$))|bearer|cookie|credential|hmac|jwt|passw|pass(?:phrase|code)?$|pwd|secret|session"
    r"|signature|token|api[-_]?key|key$|^appid$|(?:^|[^a-z])(?:otp|pin|sid|sig)(?:[^a-z]|$)"
)


@dataclass(frozen=True, slots=True)
class RecipeField:
    """A parameter, a header, or a field of a form.

    raw: how it was spelled in the URL or form that it comes from, where that is not the usual spelling.
    content_type: of a field of multipart/form-data that has one of its own.
    """

    name: str
    value: str = field(repr=False)
    is_secret: bool = False
    raw: str = field(default="", repr=False)
    content_type: str = ""

    @property
    def leaves_out(self) -> bool:
        """Whether it is one of the sender's own headers without a value, which is then not sent at all."""
        return not self.value.strip() and self.name.lower() in ("accept", "content-type")

    @property
    def is_hidden(self) -> bool:
        """Whether its value is masked: it is marked as a secret, or its name says so."""
        return self.is_secret or SENSITIVE.search(self.name) is not None


def encoded(part: RecipeField, write: Callable[..., str] = quote) -> str:
    """Write a parameter for a URL: as it was spelled where it comes from, or else percent-encoded (RFC 3986).

    With `quote_plus` it is written for a form, as curl's --data-urlencode does.
    """
    return part.raw or f"{write(part.name, safe='')}={write(part.value, safe='')}"


def with_query(url: str, query: str) -> str:
    """Add a query to a URL, which may end with a question mark of its own."""
    return f"{url.removesuffix('?')}?{query}" if query else url


def parameters_of(query: str) -> tuple[RecipeField, ...]:
    """Split the query of a URL. `encoded` gives each part back as it stands there."""
    return tuple(_parameter(raw) for raw in PARAMETER.findall(query))


def fields_of(form: str) -> tuple[RecipeField, ...] | None:
    """Split a form as `parameters_of` splits a query. Return None if rows cannot hold it.

    Rows hold no field without a name, nothing that an input of HTML would change, and no JSON.
    """
    if NOT_IN_ROWS.search(form):
        return None
    fields = tuple(_parameter(raw, quote_plus) for raw in PARAMETER.findall(form))
    if any(not each.name or NOT_IN_NAMES.search(each.name) or NOT_IN_VALUES.search(each.value) for each in fields):
        return None
    # The name of a field is filled too, unlike that of a parameter.
    fields = tuple(replace(each, raw="") if PLACEHOLDER.search(each.name) else each for each in fields)
    return fields if fields or not form else None


def _parameter(raw: str, write: Callable[..., str] = quote) -> RecipeField:
    name, value = read_parameter(raw)
    # A placeholder is filled, so its parameter has no spelling of its own.
    is_usual = PLACEHOLDER.search(value) or encoded(RecipeField(name, value), write) == raw
    return RecipeField(name, value, raw="" if is_usual else raw)


def read_parameter(raw: str) -> tuple[str, str]:
    """Return the name and the value of `name=value` in a URL or a form."""
    found = parse_qsl(raw, keep_blank_values=True, separator="&")
    return found[0] if found else (raw, "")
