"""The bytes of a contact in the database, and the beginnings of large contacts for lists."""

import json
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, IntegerField, TextField, Transform, Value
from django.db.models.functions import Cast, Substr
from django.db.models.sql.compiler import SQLCompiler
from pydantic_core import from_json

if TYPE_CHECKING:
    from botpenguin.platform.models import Contact

# A contact's attributes and notes as JSON, its tags and its other texts, in UTF-8.
MOST_BYTES = 64 * 1024
# The overhead of a contact and of a tag in bytes, with their index entries, measured on both databases.
COST, TAG_COST = 700, 250
PROFILES = ("telegram_user_name", "instagram_profile_id", "facebook_profile_id")
TEXTS = ("name", "email", "phone", "phone_prefix", "country", *PROFILES)
# The texts of its columns, and the copy of some that searches compare.
COUNTED = (*TEXTS, "searched")
# Characters of the JSON of attributes, and of notes, that lists show of a large contact: at most 32 KB each.
SHOWN = 8 * 1024


class Utf8Encoder(json.JSONEncoder):
    """Does not escape letters, so that SQLite and PostgreSQL store and count the same bytes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"ensure_ascii": False})


class Octets(Transform):
    """The number of bytes of a JSON column's text."""

    lookup_name = "octets"
    output_field = IntegerField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template="OCTET_LENGTH((%(expressions)s)::text)", **context)


# The bytes of a contact without its tags, and of a tag, in the database.
ROW = sum((Octets(F(name)) for name in (*COUNTED, "attributes", "notes")), Value(COST))
TAG_ROW = Octets(F("name")) + Value(TAG_COST)


def beginning(column: str) -> Substr:
    """Return the expression for the beginning of a large contact's column."""
    return Substr(Cast(column, TextField()), 1, SHOWN)


def read_beginning(text: str) -> Any:
    """Return the complete entries of a truncated JSON object or list."""
    part = from_json(text, allow_partial=True)
    if len(text) == SHOWN and part:
        # A truncated number looks complete.
        part.pop() if isinstance(part, list) else part.popitem()
    return part


def of_json(contact: "Contact") -> int:
    """Count the bytes of attributes and notes, as a constraint of the database does."""
    texts = (json.dumps(part, cls=Utf8Encoder) for part in (contact.attributes, contact.notes))
    return sum(len(text.encode()) for text in texts) + _zeros(contact.attributes)


def _zeros(attributes: Mapping[str, Any]) -> int:
    """Count the zeros that PostgreSQL adds, because it writes numbers without exponents: 1e-300 takes 302 bytes."""
    numbers = [repr(value) for value in attributes.values() if isinstance(value, float)]
    return sum(len(f"{Decimal(number):f}") - len(number) for number in numbers) if _writes_zeros() else 0


def _writes_zeros() -> bool:
    return connection.vendor == "postgresql"


def of_all(contact: "Contact", tags: Iterable[str]) -> int:
    return of_growing(contact, tags) + _of_texts(getattr(contact, name) for name in COUNTED)


def of_row(contact: "Contact", tags: Collection[str]) -> int:
    """Count the bytes of a contact and its tags as `ROW` and `TAG_ROW` do."""
    return COST + of_all(contact, tags) + TAG_COST * len(tags)


def of_growing(contact: "Contact", tags: Iterable[str]) -> int:
    """Count the bytes of attributes, notes and tags, which can be long."""
    return of_json(contact) + _of_texts(tags)


def _of_texts(texts: Iterable[str]) -> int:
    return sum(len(text.encode()) for text in texts)
