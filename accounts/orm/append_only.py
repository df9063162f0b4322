"""Tables whose rows are added and, in time, deleted, and never changed: neither one by one nor many at once."""

from typing import Any, NoReturn

from django.db import models


class AppendOnlyError(TypeError):
    """Code has tried to change what is only added to."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def update(self, **fields: Any) -> NoReturn:
        raise AppendOnlyError(f"A row of {self.model.__name__} is never changed.")

    def bulk_create(self, *args: Any, **options: Any) -> NoReturn:
        """Refuse, for with options it changes the rows that it meets."""
        raise AppendOnlyError(f"Rows of {self.model.__name__} are added one by one.")


class AppendOnly(models.Model):
    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, **options: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError(f"A row of {type(self).__name__} is never changed.")
        # Else Django takes the row with a key that it is given for one to change.
        super().save(**options | {"force_insert": True})
