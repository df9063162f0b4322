"""Saves only the changed columns of a loaded row, and only while the row exists.

Django's own `save` writes every column as it was read, and inserts a row that was deleted meanwhile. So a form sent at
the same time would undo a new password, a deactivation or a deletion.
"""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any, Self

from django.db import DatabaseError, models
from django.http import Http404


class Gone(Http404):
    """A row was deleted after it was read. A view that does not catch it answers 404."""


class SavesChanges:
    """Mixin for a model, ours or a library's. It stands before `models.Model` among the bases."""

    _read: dict[str, Any]

    @classmethod
    def from_db(cls, db: str | None, field_names: Iterable[str], values: Iterable[Any]) -> Self:
        row: Self = super().from_db(db, field_names, values)  # type: ignore[misc]
        row._read = row._values()
        return row

    def refresh_from_db(self, using: str | None = None, fields: Iterable[str] | None = None, **options: Any) -> None:
        super().refresh_from_db(using, fields, **options)  # type: ignore[misc]
        values = self._values()
        self._read = values if fields is None else self._read | {name: values[name] for name in fields}

    def save(self, *, force_insert: bool = False, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Insert a new row, or update the changed columns of a loaded one. Raises `Gone` where there is none."""
        if self._state.adding:  # type: ignore[attr-defined]
            super().save(force_insert=True, **options)  # type: ignore[misc]
            self._read = self._values()
        elif changed := self._changed(update_fields):
            self.update_changed([field.name for field in changed], **options)

    def update_changed(self, names: list[str], **options: Any) -> None:
        """Update these fields of a loaded row. Raises `Gone` where there is none."""
        try:
            super().save(update_fields=names, **options)  # type: ignore[misc]
        except DatabaseError as error:
            # An error of the driver has a cause. Django's own error, for no updated row, has none.
            if error.__cause__:
                raise
            raise Gone(f"A row of {type(self).__name__} was deleted meanwhile.") from None
        values = self._values()
        self._read |= {field.attname: values[field.attname] for field in self._fields() if field.name in names}

    def value_as_read(self, attname: str) -> Any:
        """Return what a column held when the row was read or last written."""
        return self._read[attname]

    def takes_the_place_of(self, before: Self) -> None:
        """Treat this new object as the stored row of `before`, so that `save` updates that row."""
        self._state.adding = False  # type: ignore[attr-defined]
        self._read = before._read

    def _changed(self, update_fields: Iterable[str] | None) -> "list[models.Field[Any, Any]]":
        """Return the loaded fields that differ from what was read, of those named if names are given."""
        values, named = self._values(), None if update_fields is None else set(update_fields)
        unread = object()
        return [
            field
            for field in self._fields()
            if field.attname in values and not field.primary_key and (named is None or field.name in named)
            if self._read.get(field.attname, unread) != values[field.attname]
        ]

    def _values(self) -> dict[str, Any]:
        columns = vars(self)
        loaded = {field.attname: columns[field.attname] for field in self._fields() if field.attname in columns}
        return {name: deepcopy(value) if isinstance(value, dict | list) else value for name, value in loaded.items()}

    def _fields(self) -> list["models.Field[Any, Any]"]:
        return self._meta.concrete_fields  # type: ignore[attr-defined,no-any-return]
