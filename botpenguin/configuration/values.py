"""Reads settings from the environment. Blanks around a value, and around the items of a list, mean nothing."""

import math
import os
from collections.abc import Sequence

from botpenguin.configuration import ImproperlyConfigured, env_file

ON, OFF = {"on", "true", "yes", "y", "ok", "1"}, {"off", "false", "no", "n", "0"}
# How similar a name in `.env` is to that of a setting if it was meant to be it: a letter more, less or exchanged.
MISSPELLED = 0.9
# Different characters. A repeated word has fewer; a random hexadecimal number has nearly all of its sixteen.
LEAST_DIFFERENT = 10


class Values:
    """The environment, with what `.env` adds to it."""

    def __init__(self) -> None:
        self._path = env_file.path()
        self._entries = env_file.read(self._path)
        self._asked: set[str] = set()
        for name, entry in self._entries.items():
            # Child processes, and libraries such as PostgreSQL's, find them there too.
            os.environ.setdefault(name, entry.value)

    def raw(self, name: str, default: str = "") -> str:
        """Return a value as it is, or the default if it is left out."""
        self._asked.add(name)
        return os.environ.get(name, default)

    def secret(self, name: str, least: int) -> str:
        """Return a value of at least this many characters. Raises `ImproperlyConfigured`, and says how to make one."""
        value = self.raw(name)
        is_weak = len(set(value)) < LEAST_DIFFERENT or value.startswith("django-insecure-")
        if len(value) < least or is_weak:
            problem = "missing" if not value else "too short" if len(value) < least else "too easy to guess"
            raise ImproperlyConfigured(
                f"{name} is {problem}: it needs at least {least} random characters. "
                f"Run `python -m botpenguin.bootstrap` once to write a .env with fresh secrets, "
                f"or make one with `python -c 'import secrets; print(secrets.token_urlsafe(48))'`."
            )
        return value

    def text(self, name: str, default: str = "") -> str:
        """Return a value, or the default if it is left out or empty."""
        return self.raw(name).strip() or default

    def whole(self, name: str, default: int) -> int:
        try:
            return int(self.raw(name, str(default)))
        except ValueError:
            raise ImproperlyConfigured(f"{name} is no whole number.") from None

    def number(self, name: str, default: float) -> float:
        try:
            value = float(self.raw(name, str(default)))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ImproperlyConfigured(f"{name} is no number.")
        return value

    def switch(self, name: str, *, default: bool) -> bool:
        value = self.raw(name, "on" if default else "off").strip().lower()
        if value not in ON | OFF:
            raise ImproperlyConfigured(f"{name} is neither on nor off.")
        return value in ON

    def items(self, name: str, default: Sequence[str]) -> list[str]:
        """Return the items between commas, without empty ones."""
        if name not in self:
            return list(default)
        return [item.strip() for item in self.raw(name).split(",") if item.strip()]

    def __contains__(self, name: str) -> bool:
        self._asked.add(name)
        return name in os.environ

    def refuse_misspelled(self) -> None:
        """Raise `ImproperlyConfigured` if the file sets a name that is nearly that of a setting which is left out."""
        unset = dict.fromkeys(self._asked - set(os.environ))
        for name, entry in self._entries.items():
            if name not in self._asked and (meant := env_file.similar(name, unset, MISSPELLED)):
                raise ImproperlyConfigured(
                    f"Line {entry.line} of {self._path} sets {name}, which is no setting. Is it meant to be {meant}?"
                )
