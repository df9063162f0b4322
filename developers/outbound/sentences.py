"""Sentences that know what they were made of, so that what is stored can be read in the reader's language.

Modules take `gettext` and `ngettext` from here instead of from Django where their sentences may be stored.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.db import models
from django.utils import translation

HEAD = '{"message":'


class Sentence(str):  # noqa: SLOT000 - its parts are its own
    """A sentence in the active language, with its English message and the values in it."""

    message: str
    plural: str
    number: int
    values: Mapping[str, Any] | None

    def __new__(
        cls,
        text: str,
        message: str,
        plural: str = "",
        number: int = 0,
        values: Mapping[str, Any] | None = None,
    ) -> "Sentence":
        new = super().__new__(cls, text)
        new.message, new.plural, new.number, new.values = message, plural, number, values
        return new

    def __str__(self) -> "Sentence":
        """Return the same, so that the text of an exception keeps its parts."""
        return self

    def __mod__(self, values: Mapping[str, Any]) -> "Sentence":
        return Sentence(str.__mod__(self, values), self.message, self.plural, self.number, values)

    def changed(self, change: Callable[[str], str]) -> "Sentence":
        """Return the sentence with other texts in it."""
        if self.values is None:
            return self
        values = {key: change(value) if isinstance(value, str) else value for key, value in self.values.items()}
        return read(self.parts() | {"values": values})

    def parts(self) -> dict[str, Any]:
        """Return what is stored."""
        parts: dict[str, Any] = {"message": self.message}
        if self.plural:
            parts |= {"plural": self.plural, "number": self.number}
        return parts if self.values is None else parts | {"values": dict(self.values)}


def gettext(message: str) -> Sentence:
    return Sentence(translation.gettext(message), message)


def ngettext(singular: str, plural: str, number: int) -> Sentence:
    return Sentence(translation.ngettext(singular, plural, number), singular, plural, number)


def read(parts: Mapping[str, Any]) -> Sentence:
    """Return a stored sentence in the active language."""
    plural = parts.get("plural")
    found = ngettext(parts["message"], plural, parts["number"]) if plural else gettext(parts["message"])
    return found % parts["values"] if "values" in parts else found


def stored(text: str) -> str:
    return json.dumps(text.parts(), ensure_ascii=False) if isinstance(text, Sentence) else text


class SentenceField(models.TextField):  # type: ignore[type-arg]
    """A sentence, stored as what it was made of. Those that earlier versions stored as text are read as they are."""

    def deconstruct(self) -> Any:
        """Return the field that it is to migrations: an alteration would rewrite the table on SQLite."""
        name, _path, *rest = super().deconstruct()
        return name, "django.db.models.TextField", *rest

    def from_db_value(self, value: str, expression: object, connection: object) -> str:
        return read(json.loads(value)) if value.startswith(HEAD) else value

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(stored(value))


class SentencesField(models.JSONField):
    """A list of sentences, each stored like that of `SentenceField`."""

    def deconstruct(self) -> Any:
        name, _path, *rest = super().deconstruct()
        return name, "django.db.models.JSONField", *rest

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        found = super().from_db_value(value, expression, connection)
        return [read(each) if isinstance(each, dict) else each for each in found]

    def get_prep_value(self, value: Any) -> Any:
        return [each.parts() if isinstance(each, Sentence) else each for each in super().get_prep_value(value)]
