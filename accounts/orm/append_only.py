"""Models whose rows are inserted and deleted, but never updated, one by one or in bulk."""

from typing import Any, NoReturn

from django.db import models


class AppendOnlyError(TypeError):
    """Code tried to update an append-only row."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def update(self, **fields: Any) -> NoReturn:
        raise AppendOnlyError(f"A row of {self.model.__name__} is never changed.")

    def bulk_create(self, *args: Any, **options: Any) -> NoReturn:
        """Refuse: with `update_conflicts` it would update rows."""
        raise AppendOnlyError(f"Rows of {self.model.__name__} are added one by one.")


class AppendOnly(models.Model):
    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, **options: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError(f"A row of {type(self).__name__} is never changed.")
        # Otherwise Django updates a row that has the same key.
        super().save(**options | {"force_insert": True})
