"""Reads `.env` as other tools do, by python-dotenv, and refuses what they would misread, by line number.

No message contains a value or the text of a line: either may be a secret.
"""

import codecs
import difflib
import io
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from dotenv.parser import parse_stream

from botpenguin.configuration import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DEFAULT_ENV_FILE = BASE_DIR / ".env"
NEWLINE = r"\r\n|\n|\r"
NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
# Notepad and PowerShell write them.
OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
IN_UTF_8 = "Save the file as UTF-8."


class Entry(NamedTuple):
    """A value, and the line of the file that sets it."""

    value: str
    line: int


def path() -> Path:
    return Path(os.environ.get("ENV_FILE") or DEFAULT_ENV_FILE).resolve()


def read(path: Path) -> dict[str, Entry]:
    """Return the entries of a file by their names; none if there is no such file.

    Raises `ImproperlyConfigured` for a file or a line that cannot be read, and for a name with two values.
    """
    entries: dict[str, Entry] = {}
    for name, entry in _entries(path):
        first = entries.setdefault(name, entry)
        if first.value != entry.value:
            raise ImproperlyConfigured(
                f"Lines {first.line} and {entry.line} of {path} give {name} different values. Remove one of them."
            )
    return entries


def merged(entries: Mapping[str, Entry]) -> dict[str, str]:
    """Return the settings of the environment and of the file. Those of the environment count first."""
    return {name: entry.value for name, entry in entries.items()} | dict(os.environ)


def similar(name: str, others: Mapping[str, object], least: float) -> str | None:
    """Return the name among others that was probably meant to be this one: of another case, or misspelled.

    `least`: how similar the two must be, up to 1 (difflib's ratio).
    """
    by_case = {other.upper(): other for other in others}
    close = difflib.get_close_matches(name.upper(), by_case, n=1, cutoff=least)
    return by_case[close[0]] if close else None


def _entries(path: Path) -> Iterator[tuple[str, Entry]]:
    for binding in parse_stream(io.StringIO(_text(path), newline="")):
        # A binding begins with the blank lines above it.
        text = binding.original.string
        line = binding.original.line + _count_lines(text[: len(text) - len(text.lstrip())])
        if binding.key is None and not binding.error:
            continue  # a comment, or blank lines at the end
        if binding.key is None or binding.value is None or not NAME.fullmatch(binding.key):
            raise ImproperlyConfigured(
                f"Line {line} of {path} is no setting: it must have the form NAME=value, with a closing quote for each "
                "opening one. Comments begin with #."
            )
        if re.search(NEWLINE, text.strip()):
            raise ImproperlyConfigured(
                f"The value in line {line} of {path} does not end in that line. Close its quotes."
            )
        yield binding.key, Entry(binding.value, line)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        raise ImproperlyConfigured(f"{path} cannot be read: {error.strerror}.") from None
    if data.startswith(OTHER_ENCODINGS):
        raise ImproperlyConfigured(f"{path} is in UTF-16, from line 1 on. {IN_UTF_8}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + _count_lines(data[: error.start].decode("latin-1"))
    else:
        if "\0" not in text:
            return text
        line = 1 + _count_lines(text[: text.index("\0")])
    # Outside of the handler: its exception holds the whole file.
    raise ImproperlyConfigured(f"Line {line} of {path} is not in UTF-8, or holds a NUL. {IN_UTF_8}")


def _count_lines(text: str) -> int:
    return len(re.findall(NEWLINE, text))
