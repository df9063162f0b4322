"""Maps values of a response to custom attributes, by their paths.

Paths are JSONPath (RFC 9535), restricted to singular queries (section 2.3.5.1), which find one value; filters,
wildcards and slices find several. The leading `$.` is optional.
"""

import math
import re
from datetime import date, datetime
from typing import Any, Final

import jsonpath_rfc9535 as jsonpath
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.web import formats
from accounts.web.isolates import isolated
from developers.outbound.recipe import AttributeMapping, Value

LONGEST_PATH = 500
LONGEST_TEXT = 1_000
# The largest integer that JavaScript, and so most clients, represent exactly.
LARGEST_NUMBER = 2**53 - 1
YES, NO = ("true", "yes", "y", "on", "1"), ("false", "no", "n", "off", "0")
# Characters that no database stores as text: NUL and lone surrogates.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
NOT_FOUND: Final = object()
# A quoted name, or one after a dot (RFC 9535, section 2.5.1.1).
LETTER = r"[A-Za-z_\x80-\ud7ff\ue000-\U0010ffff]"
NAMES = re.compile(rf"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|(\.?)\.({LETTER}(?:{LETTER}|[0-9])*)""")
POSITION = r"0|[1-9]\d{0,8}"
# What people take for a name after a dot, and positions after it.
LIKE_A_NAME = re.compile(rf"""(?:({POSITION})|([^\s.$\[\]'"*?,:()]+))((?:\[(?:{POSITION})\])*)""", re.ASCII)


# Translators: in these sentences %(attribute)s is the name of an attribute of the contact, such as order_status, and
# %(path)s says where a value stands in a response, such as data.items[0].name.
NO_SIMPLE_VALUE = gettext_lazy(
    "%(attribute)s was not set: what is at %(path)s is a list or an object. Choose a value inside it."
)
NOT_STORABLE = gettext_lazy("%(attribute)s was not set: what is at %(path)s holds a character that cannot be stored.")
TOO_LONG = gettext_lazy("%(attribute)s was not set: what is at %(path)s is longer than %(most)s characters.")
TOO_LARGE = gettext_lazy("%(attribute)s was not set: what is at %(path)s is a number beyond 2^53.")
NO_NUMBER = gettext_lazy("%(attribute)s was not set: what is at %(path)s is no number.")
NEITHER_YES_NOR_NO = gettext_lazy("%(attribute)s was not set: what is at %(path)s is neither yes nor no.")
NO_DATE = gettext_lazy("%(attribute)s was not set: what is at %(path)s is no date such as 2026-11-24.")


class UnsuitableValue(Exception):
    """A value does not fit the attribute's type. `sentence` lacks the attribute and the path."""

    def __init__(self, sentence: "str | Promise") -> None:
        super().__init__(sentence)
        self.sentence = sentence


def check(path: str) -> str | None:
    """Return a sentence about what is wrong with a path, or None."""
    if not path.strip():
        return _("Name the value, for instance data.items[0].name.")
    if len(path) > LONGEST_PATH:
        sentence = ngettext(
            "Keep the path to %(most)s character.", "Keep the path to %(most)s characters.", LONGEST_PATH
        )
        return sentence % {"most": formats.number(LONGEST_PATH)}
    try:
        query = jsonpath.compile(_whole(path))
    except (jsonpath.JSONPathError, RecursionError, ValueError):
        if meant := _meant(path):
            # Translators: %(path)s is such as data['first-name'].
            return _("This path cannot be read. Write it as %(path)s.") % {"path": isolated(meant)}
        return _("This path cannot be read. Write it like data.items[0].name.")
    if not query.singular_query():
        return _("This path finds several values. Name one, without *, ?, : or two dots.")
    return None


def path_of(*steps: str | int) -> str:
    """Build the normalized path (RFC 9535, section 2.7) of the value that keys and positions lead to."""
    node = jsonpath.JSONPathNode(value=None, location=steps, parent=None, root=None)
    return node.path()


def readable_path(*steps: str | int) -> str:
    """Write a path like data.items[0].name, or a normalized one unless each key is a plain word of any script."""
    keys = [step for step in steps if isinstance(step, str)]
    if not steps or not isinstance(steps[0], str) or not all(key.isidentifier() for key in keys):
        return path_of(*steps)
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def find(path: str, data: Any) -> Any:
    """Return the value at a path that `check` accepts, or `NOT_FOUND`."""
    node = jsonpath.compile(_whole(path)).find_one(data)
    return NOT_FOUND if node is None else node.value


def cast(value: Any, kind: str | None) -> Value:
    """Convert a value to an attribute's type; None accepts every simple value. Raises `UnsuitableValue`."""
    if value is None:
        return None
    if isinstance(value, list | dict):
        raise UnsuitableValue(NO_SIMPLE_VALUE)
    if isinstance(value, str) and UNSTORABLE.search(value):
        raise UnsuitableValue(NOT_STORABLE)
    if kind == "number":
        return _number(value)
    if kind == "yes_no":
        return _yes_no(value)
    if kind == "date":
        return _date(value)
    if kind == "text" and not isinstance(value, str):
        value = ("true" if value else "false") if isinstance(value, bool) else _digits(value)
    return _simple(value)


def apply(
    mappings: tuple[AttributeMapping, ...], data: Any, kinds: dict[str, str]
) -> tuple[dict[str, Value], list[str]]:
    """Return the values by attribute name, and a sentence for each value that is missing or does not fit.

    `kinds`: the attributes' types by their names in lower case.
    """
    mapped: dict[str, Value] = {}
    missing: list[str] = []
    for mapping in mappings:
        names = {
            "path": isolated(mapping.path),
            "attribute": isolated(mapping.attribute),
            "most": formats.number(LONGEST_TEXT),
        }
        value = find(mapping.path, data)
        if value is NOT_FOUND:
            # Translators: %(attribute)s is the name of an attribute, %(path)s a place such as data.items[0].name.
            missing.append(_("%(attribute)s was not set: there is no %(path)s in the response.") % names)
            continue
        try:
            mapped[mapping.attribute] = cast(value, kinds.get(mapping.attribute.lower()))
        except UnsuitableValue as unfit:
            missing.append(str(unfit.sentence) % names)
    return mapped, missing


def _whole(path: str) -> str:
    path = path.strip()
    if not path.startswith("$"):
        path = f"${path}" if path.startswith(("[", ".")) else f"$.{path}"
    return NAMES.sub(_quoted, path)


def _quoted(name: re.Match[str]) -> str:
    """Put a name of another script into brackets: the library does not read every one after a dot."""
    return name[0] if name[2] is None or name[2].isascii() else f"{name[1] * 2}['{name[2]}']"


def _meant(path: str) -> str:
    """Return the path that was probably meant, such as $['a']['b-c'] for a.b-c; an empty text if it is unclear."""
    steps: list[str | int] = []
    for part in path.strip().removeprefix("$").removeprefix(".").split("."):
        match = LIKE_A_NAME.fullmatch(part)
        if not match:
            return ""
        steps += [int(match[1]) if match[1] else match[2], *map(int, re.findall(r"\d+", match[3]))]
    meant = readable_path(*steps)
    return meant if len(meant) <= LONGEST_PATH else ""


def _digits(value: float) -> str:
    """Write a number as text. A whole number of any size keeps its digits."""
    return str(value if isinstance(value, int) else _number(value))


def _simple(value: str | float | bool) -> Value:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return _number(value)
    if len(value) > LONGEST_TEXT:
        raise UnsuitableValue(TOO_LONG)
    return value


def _number(value: str | float | bool) -> int | float:
    number: float | None = None
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = None
    elif not isinstance(value, bool):
        number = value
    # First: math.isnan raises OverflowError for larger integers.
    if number is not None and abs(number) > LARGEST_NUMBER:
        raise UnsuitableValue(TOO_LARGE)
    if number is None or math.isnan(number):
        raise UnsuitableValue(NO_NUMBER)
    return int(number) if number == int(number) else number


def _yes_no(value: str | float | bool) -> bool:
    word = str(value).strip().lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise UnsuitableValue(NEITHER_YES_NOR_NO)


def _date(value: str | float | bool) -> str:
    """Return a date, or a date with a time, in ISO 8601."""
    text = value.strip() if isinstance(value, str) else ""
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(text).isoformat()
        except ValueError:
            continue
    raise UnsuitableValue(NO_DATE)
