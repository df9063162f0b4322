"""Telephone numbers in requests, as text or as JSON numbers; and searches, which may be numbers."""

import re
from typing import Annotated

from django.utils.translation import gettext_lazy as _
from pydantic import BeforeValidator, WithJsonSchema

from botpenguin.platform import phones
from botpenguin.platform.api.fields import NO_NUL, Text, wrong
from botpenguin.platform.models import UNSTORABLE

MOST_OF_A_PREFIX = 5
# How most numbers and prefixes are written. The server reads more: blanks, hyphens and digits of all scripts.
NUMBER = rf"\+?(?:[ ()-]*[0-9]){{{phones.FEWEST_DIGITS},{phones.MOST_DIGITS}}}[ ()-]*"
PREFIX = r"\+?[1-9][0-9]{0,4}"


def _typed(value: object) -> object:
    """Accept telephone numbers as JSON numbers, as some clients send them."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**15 else value


_Search = Text(
    NO_NUL, 200, _("%(field)s should be a text of at most 200 characters"), "asha@example.com", rule=str.strip
)
_Number = Text(NUMBER, phones.LONGEST, _("%(field)s should be a telephone number"), "9876543210", may_be_empty=True)
_Prefix = Text(PREFIX, 6, _("%(field)s should be the prefix of a country"), "91", may_be_empty=True)


def _number(value: object) -> str:
    """Read a telephone number as people write it, without invisible characters."""
    typed = _typed(value)
    if not isinstance(typed, str) or len(typed) > phones.LONGEST_AS_TYPED or UNSTORABLE.search(typed):
        raise wrong(phones.SHOULD)
    text = phones.clean(typed)
    if not text:
        return ""
    if why := phones.SHOULD if len(text) > phones.LONGEST else phones.unmeant(typed):
        raise wrong(why)
    phones.prepare()
    return text


def _prefix(value: object) -> str:
    typed = _typed(value)
    short = typed if isinstance(typed, str) and len(typed) <= phones.LONGEST_AS_TYPED else "-"
    cleaned = phones.clean(short)
    text, prefix = re.sub("[ ()]|(?<=[0-9])-", "", cleaned), phones.clean_prefix(cleaned)
    is_one = text in (prefix, f"+{prefix}", f"00{prefix}") and bool(prefix) == bool(cleaned)
    if not is_one or len(prefix) > MOST_OF_A_PREFIX:
        raise wrong(_("%(field)s should be the prefix of a country, 1 to 5 digits"))
    phones.prepare()
    return prefix


Search = Annotated[
    str,
    _Search,
    BeforeValidator(_typed),
    WithJsonSchema({"anyOf": [_Search.schema, {"type": "integer", "minimum": 1, "maximum": 10**15 - 1}]}),
]
Number = Annotated[
    str,
    BeforeValidator(_number),
    WithJsonSchema({"anyOf": [_Number.schema, {"type": "integer", "minimum": 10**3, "maximum": 10**15 - 1}]}),
]
Prefix = Annotated[
    str,
    BeforeValidator(_prefix),
    WithJsonSchema({"anyOf": [_Prefix.schema, {"type": "integer", "minimum": 1, "maximum": 10**5 - 1}]}),
]
