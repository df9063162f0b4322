"""Types of fields. Each has one pattern for validation, for JSON Schema and for its error."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from accounts.email_addresses import spelled
from accounts.orm.object_ids import ID_LENGTH, OBJECT_ID
from accounts.text import INVISIBLE, keep, normalize, normalize_digits
from botpenguin.platform.api.field_errors import WRONG
from botpenguin.platform.contacts import MOST_ATTRIBUTES
from botpenguin.platform.models import UNSTORABLE, Contact, Platform
from botpenguin.platform.phones import Problem

# The largest integer that JavaScript represents exactly.
LARGEST_NUMBER = 2**53 - 1
LONGEST_VALUE = 1000
# Rules remove invisible characters and put accents and letters together: at most so many become one.
SHORTER = 10
# Of another platform: ids have up to 64 bits.
LARGEST_ID = 2**64 - 1
# Digits of a whole number that comes as text.
LONGEST_WHOLE = 20
MOST_NOTES = 100

ID_EXAMPLE = "6743a1f09b2c4d5e6f708192"
HEX = OBJECT_ID.pattern
NO_NUL = r"[^\x00]*"
# At least one visible character.
A_VISIBLE_ONE = f"[^{INVISIBLE}]"
VISIBLE = rf"[^\x00]*{A_VISIBLE_ONE}[^\x00]*"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# The email addresses of HTML, with a domain of at least two labels.
EMAIL = rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{LABEL}(?:\.{LABEL})+"


class Input(BaseModel):
    """Input of clients: types are strict, and unknown keys are ignored."""

    model_config = ConfigDict(strict=True)


def wrong(clause: Promise | Problem) -> PydanticCustomError:
    """Return the error of a field. The clause names the field as `%(field)s`."""
    return PydanticCustomError(WRONG, "Invalid value", {"clause": clause})


@dataclass(frozen=True)
class Text:
    """A text that matches a pattern once a rule of `accounts.text` is applied; or an empty text, if allowed."""

    pattern: str
    most: int
    clause: Promise
    example: str
    may_be_empty: bool = False
    rule: Callable[[str], str] = keep

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        compiled = re.compile(self._whole_pattern)

        def check(value: object) -> str:
            text = self.rule(value) if isinstance(value, str) and self._may_fit(value) else None
            if text is None or len(text) > self.most or UNSTORABLE.search(text) or not compiled.fullmatch(text):
                raise wrong(self.clause)
            return text

        return core_schema.no_info_plain_validator_function(check)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return self.schema

    def _may_fit(self, typed: str) -> bool:
        """Return whether a rule can make a text short enough. It takes half a second for a whole body."""
        return len(typed.strip()) <= SHORTER * self.most

    @property
    def schema(self) -> dict[str, Any]:
        pattern = f"^{self._whole_pattern}$"
        return {"type": "string", "maxLength": self.most, "pattern": pattern, "examples": [self.example]}

    @property
    def _whole_pattern(self) -> str:
        return f"(?:{self.pattern})?" if self.may_be_empty else self.pattern


def _email(text: str) -> str:
    """Return an address as it is stored: contacts may have dots that mail servers of today refuse."""
    try:
        return spelled(text) if normalize(text) else ""
    except ValidationError as refusal:
        raise wrong(BAD_EMAILS[str(refusal.code)]) from None


AN_ID = _("%(field)s should be an id, 24 hexadecimal digits")
# By the codes of `accounts.email_addresses.REASONS`.
BAD_EMAILS = {
    "invalid": _("%(field)s should be an email address"),
    "local_part": _("%(field)s should have only the letters a to z, digits and signs such as . - + before the @"),
    "joiner": _(
        "%(field)s should have a domain without an invisible joiner. Send its ASCII spelling, which begins with xn--"
    ),
}

ObjectId = Annotated[str, Text(HEX, ID_LENGTH, AN_ID, ID_EXAMPLE, rule=normalize)]
OptionalId = Annotated[str, Text(HEX, ID_LENGTH, AN_ID, ID_EXAMPLE, may_be_empty=True, rule=normalize)]
# Not validated: an invalid id is not found, like an unknown one.
PathId = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{HEX}$", "examples": [ID_EXAMPLE]})]
IdOut = Annotated[
    str,
    Field(serialization_alias="_id"),
    WithJsonSchema({"type": "string", "pattern": f"^{HEX}$", "examples": [ID_EXAMPLE]}),
]
AnyText = Annotated[str, Text(NO_NUL, 200, _("%(field)s should be a text of at most 200 characters"), "customer")]
Name = Annotated[str, Text(NO_NUL, 200, _("%(field)s should be a text of at most 200 characters"), "Asha Rao")]
BotName = Annotated[str, Text(VISIBLE, 100, _("%(field)s should be a name of 1 to 100 characters"), "Reception")]
Tag = Annotated[str, Text(VISIBLE, 60, _("%(field)s should be a tag of 1 to 60 characters"), "customer")]
Country = Annotated[str, Text(NO_NUL, 60, _("%(field)s should be a text of at most 60 characters"), "India")]
Note = Annotated[
    str, Text(NO_NUL, 2000, _("%(field)s should be a text of at most 2,000 characters"), "Asked for a call back.")
]
Key = Annotated[str, Text(VISIBLE, 100, _("%(field)s should be a key of 1 to 100 characters"), "plan")]
WebhookUrl = Annotated[
    str,
    Text(
        VISIBLE,
        8000,
        _("%(field)s should be the address of a webhook"),
        "https://n8n.example.com/webhook/5f0c8a2e/trigger-event",
    ),
]
Email = Annotated[str, Text(EMAIL, 254, _("%(field)s should be an email address"), "asha@example.com", True, _email)]


@dataclass(frozen=True)
class WholeNumber:
    """A whole number within limits, or a text of its digits, as forms and no-code tools send it; empty is None."""

    least: int
    most: int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        number = core_schema.nullable_schema(core_schema.int_schema(strict=True, ge=self.least, le=self.most))
        return core_schema.no_info_before_validator_function(self._read, number)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        limits = {"minimum": self.least} | ({} if self.most is None else {"maximum": self.most})
        text = {"type": "string", "maxLength": self._longest, "pattern": f"^(?:{self._pattern})?$"}
        return {"anyOf": [{"type": "integer"} | limits, text, {"type": "null"}]}

    @property
    def _longest(self) -> int:
        """How many digits a text may have. Numbers of so many digits are within the limits."""
        return LONGEST_WHOLE if self.most is None else len(str(self.most)) - 1

    @property
    def _pattern(self) -> str:
        return "0*[1-9][0-9]*" if self.least else "[0-9]+"

    def _read(self, value: object) -> object:
        if not isinstance(value, str):
            return value
        digits = normalize_digits(value)
        is_whole = len(digits) <= self._longest and re.fullmatch(self._pattern, digits)
        return int(digits) if is_whole else digits or None


def _written(value: object) -> object:
    """Accept ids as JSON numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID else value


_Profile = Text(
    NO_NUL, 100, _("%(field)s should be a name or an id of at most 100 characters"), "17841400000000001", rule=normalize
)
ProfileId = Annotated[
    str,
    _Profile,
    BeforeValidator(_written),
    WithJsonSchema({"anyOf": [_Profile.schema, {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}]}),
]

PlatformName = Literal["whatsapp", "instagram", "facebook", "telegram", "website", "sms"]
PlatformOut = Annotated[str, WithJsonSchema({"type": "string", "enum": Platform.values})]
StatusOut = Annotated[str, WithJsonSchema({"type": "string", "enum": Contact.Status.values})]
StatusName = Literal["OPEN", "INPROGRESS", "REVIEW", "ONHOLD", "DEPENDANCY", "CLOSED", "DELETED"]


def _parse_time(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        time = datetime.fromisoformat(value)  # type: ignore[arg-type]  # raises for other types, as it should
    except (TypeError, ValueError):
        raise wrong(_("%(field)s should be a time such as 2026-11-24T14:02:09.123Z")) from None
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        # A few hours beyond the first or last datetime in UTC.
        return datetime.min.replace(tzinfo=UTC) if time.year == 1 else datetime.max.replace(tzinfo=UTC)


Time = Annotated[
    datetime | None,
    BeforeValidator(_parse_time),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "maxLength": 0}, {"type": "null"}],
            "examples": ["2026-11-24T14:02:09.123Z"],
        }
    ),
]

Value = str | int | float | bool | None
WRONG_VALUE = _("%(field)s should be a text of at most 1,000 characters, a number up to 2^53, true, false or null")


def _value(value: object) -> Value:
    """Check the value of an attribute. Larger integers become text: JavaScript would change their last digits."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) <= LARGEST_NUMBER:
        return value
    if isinstance(value, int) and abs(value) < 10 ** (LONGEST_VALUE - 1):
        return str(value)
    if isinstance(value, str) and len(value) <= LONGEST_VALUE and not UNSTORABLE.search(value):
        return value
    raise wrong(WRONG_VALUE)


VALUE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "maxLength": LONGEST_VALUE, "pattern": f"^{NO_NUL}$"},
        {"type": "number", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER},
        {"type": "integer", "description": "Beyond 2^53 it becomes a text of its digits."},
        {"type": "boolean"},
        {"type": "null"},
    ],
    "examples": ["gold"],
}
KEY_SCHEMA: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": f"^{VISIBLE}$"}
# The document leaves maps out: few generators can express a list or a map.
LIST_SCHEMA: dict[str, Any] = {
    "type": "array",
    "maxItems": MOST_ATTRIBUTES,
    "items": {"type": "object", "required": ["key"], "properties": {"key": KEY_SCHEMA, "value": VALUE_SCHEMA}},
    "examples": [[{"key": "plan", "value": "gold"}]],
}


def _attributes(value: object) -> object:
    """Convert a list of `{key, value}` to a map."""
    if not isinstance(value, list):
        return value
    if not all(isinstance(item, Mapping) and isinstance(item.get("key"), str) for item in value):
        raise wrong(_('%(field)s should be a list of {"key": …, "value": …}, or a map'))
    return {item["key"]: item.get("value") for item in value}


def _unwrapped(value: object) -> object:
    """Unwrap `{"attributes": …}`, unless that is itself an attribute."""
    inner = value.get("attributes") if isinstance(value, Mapping) else None
    return _attributes(inner) if isinstance(inner, list | dict) else value


def _few(value: object) -> object:
    """Check the number first: 50,000 invalid attributes would give megabytes of errors."""
    if isinstance(value, Mapping) and len(value) > MOST_ATTRIBUTES:
        raise wrong(_("%(field)s should have at most 100 items"))
    return value


_Map = Annotated[dict[Key, Annotated[Value, BeforeValidator(_value)]], BeforeValidator(_few)]
Attributes = Annotated[_Map, BeforeValidator(_attributes), WithJsonSchema(LIST_SCHEMA)]
# A whole body: the attributes alone, or under the one key "attributes".
AttributesBody = Annotated[
    _Map,
    BeforeValidator(_unwrapped),
    WithJsonSchema(
        {"type": "object", "required": ["attributes"], "properties": {"attributes": LIST_SCHEMA}},
    ),
]
