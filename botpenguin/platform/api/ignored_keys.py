"""Keys of a body that nothing stores: named in the answer where silence would lose what somebody sent."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

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
    return f"Nothing was changed. {_sentence(keys)}" if keys and is_empty(body) else ""


def of_rows(rows: Iterable[BaseModel]) -> str:
    """Return the message of an import that left keys out. Keys that other answers hold need no mention."""
    found = Counter(key for row in rows for key in set(unknown_keys(row)) - READ_ONLY)
    rows_of = {key: f" ({count} row{'' if count == 1 else 's'})" for key, count in sorted(found.items())}
    return _sentence([*rows_of], rows_of)


def _sentence(keys: Sequence[str], rows_of: Mapping[str, str] = MappingProxyType({})) -> str:
    if not keys:
        return ""
    named = [
        (f"{key[:LONGEST_NAME]}…" if len(key) > LONGEST_NAME else key) + rows_of.get(key, "")
        for key in keys[:MOST_NAMED]
    ]
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return f"Ignored, because a contact has no such key to set: {', '.join(named)}{more}."
