"""Keys of a body that nothing stores: named in the answer where silence would lose what somebody sent."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import BaseModel, ConfigDict

from botpenguin.platform.api.fields import Input

# At most so many keys are named, each with so many characters.
MOST_NAMED, LONGEST_NAME = 10, 100
# Of a contact that is written back as it was read.
READ_ONLY = frozenset(
    {
        *("_id", "_customer", "createdAt", "updatedAt", "isImported", "isOnline", "lastMessage", "lastSeenAt"),
        *("segments", "shortened", "profile.userDetails.whatsAppNumber"),
    }
)


class KeepingInput(Input):
    """Input that keeps its unknown keys until the answer has named them."""

    model_config = ConfigDict(extra="allow")


def unknown_keys(body: BaseModel, path: str = "") -> Iterator[str]:
    """Return the paths of the keys that the models of a body do not know, such as `profile.userDetails.nickname`."""
    yield from (f"{path}{key}" for key in body.model_extra or ())
    for name in type(body).model_fields:
        value = getattr(body, name)
        if isinstance(value, BaseModel):
            yield from unknown_keys(value, f"{path}{name}.")


def is_empty(body: BaseModel) -> bool:
    """Return whether a body has none of the keys that its models know."""
    values = [getattr(body, name) for name in type(body).model_fields]
    return all(is_empty(value) if isinstance(value, BaseModel) else value is None for value in values)


def of_change(body: BaseModel) -> str:
    """Return the message of a change that has nothing but unknown keys."""
    keys = [*unknown_keys(body)]
    return f"{_('Nothing was changed.')} {_sentence(keys)}" if keys and is_empty(body) else ""


def of_rows(rows: Iterable[BaseModel]) -> str:
    """Return the message of an import that left keys out. Keys that other answers hold need no mention."""
    found = Counter(key for row in rows for key in set(unknown_keys(row)) - READ_ONLY)
    return _sentence(sorted(found), found)


def _sentence(keys: Sequence[str], rows: Mapping[str, int] = MappingProxyType({})) -> str:
    if not keys:
        return ""
    named = ", ".join(_named(key, rows.get(key, 0)) for key in keys[:MOST_NAMED])
    more = len(keys) - MOST_NAMED
    if more > 0:
        sentence = ngettext(
            "Ignored, because a contact has no such key to set: %(keys)s and %(more)d more.",
            "Ignored, because a contact has no such key to set: %(keys)s and %(more)d more.",
            more,
        )
        return sentence % {"keys": named, "more": more}
    return _("Ignored, because a contact has no such key to set: %(keys)s.") % {"keys": named}


def _named(key: str, rows: int) -> str:
    name = f"{key[:LONGEST_NAME]}…" if len(key) > LONGEST_NAME else key
    # Translators: a key, and in how many rows it stands: "nickname (2 rows)".
    in_rows = ngettext("%(key)s (%(number)d row)", "%(key)s (%(number)d rows)", rows)
    return in_rows % {"key": name, "number": rows} if rows else name
