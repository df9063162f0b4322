"""Fields of forms by what people type into them: each applies one rule of `accounts.text` before its other checks.

Passwords, URLs, headers, bodies and values of attributes have none of these: they stay as they were typed.
"""

from collections.abc import Callable
from typing import Any

from django import forms

from accounts.text import keep, normalize

Rule = Callable[[str], str]


class NameField(forms.CharField):
    """A name or a note. One that shows nothing is empty."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(_by(keep, value)))


class IdField(forms.CharField):
    """An id, a name of letters and digits, or a key."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(_by(normalize, value)))


def apply(field: forms.Field, rule: Rule) -> None:
    """Have a field of a library apply a rule. Fields belong to one form each."""
    to_python = field.to_python
    field.to_python = lambda value: to_python(_by(rule, value))  # type: ignore[method-assign]


def _by(rule: Rule, value: Any) -> Any:
    return rule(value) if isinstance(value, str) else value
