"""A column with a row's texts in the spelling that searches compare."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model, TextField

from accounts.text import searchable


class SearchedField(TextField):  # type: ignore[type-arg]
    """Holds what the row's method `searched_text` returns. Only QuerySet.update has to name it itself."""

    def __init__(self, **options: Any) -> None:
        defaults: dict[str, Any] = {"default": "", "db_default": "", "editable": False}
        super().__init__(**defaults | options)

    def pre_save(self, row: Model, add: bool) -> str:
        text: str = row.searched_text()  # type: ignore[attr-defined]
        setattr(row, self.attname, text)
        return text

    def deconstruct(self) -> Any:
        """Migrations see a TextField, since their models have no methods."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.TextField", arguments, options


def joined(texts: Iterable[str]) -> str:
    """Return each of the texts as a line. What people search holds no line break, so it is found within one text."""
    distinct = dict.fromkeys(map(searchable, filter(None, dict.fromkeys(texts))))
    return "\n".join(filter(None, distinct))
