"""Reads values of PowerShell, and the variables that hold them. No code is run."""

import base64
import json
import re
from typing import Any

from django.utils.translation import gettext as _

from developers.outbound.curl.powershell import STRING, unquoted
from developers.outbound.curl.powershell import VARIABLE as NAME
from developers.outbound.curl.problems import InvalidCommand

BLANK = re.compile(r"(?:[ \t]|`[ \t]*\n|<\#.*?\#>|(?<!\S)\#[^\n]*)*", re.DOTALL)
BETWEEN = re.compile(r"(?:[\s;,]|(?<!\S)\#[^\n]*)*")
VARIABLE = re.compile(rf"(?:{NAME})(?:\.[A-Za-z]\w*)*", re.IGNORECASE)
BARE = re.compile(rf"(?:[^\s\"'(){{}};|,`$=+]|\+(?![\"'$(])|`.|(?<=\S)=|{NAME})+", re.IGNORECASE)
KEY = re.compile(r"[\w-]+")
CAST = re.compile(r"\[[A-Za-z][\w.]*(?:\[\])?\](?!::)")
METHOD = re.compile(r"\[[\w.]+\]::(?:\w+(?:\(\))?\.)?(GetBytes|ToBase64String)\s*\(", re.IGNORECASE)
TO_JSON = re.compile(r"\|\s*ConvertTo-Json\b[^\n;|)]*", re.IGNORECASE)
COOKIE = re.compile(r"\(?\s*New-Object\s+(?:-TypeName\s+)?[\w.]*Cookie\s*\(", re.IGNORECASE)
MADE = re.compile(r"New-Object\b[^\n;)]*", re.IGNORECASE)
GET_ITEM = re.compile(r"(?:Get-Item|gi)\b(?:[ \t]+-(?:Literal)?Path\b)?(?=[ \t])", re.IGNORECASE)
ASSIGNED = re.compile(r"^[ \t]*(\$\w+(?:\.\w+)?)[ \t]*=", re.MULTILINE)
ADDED = re.compile(r"^[ \t]*(\$\w+(?:\.Cookies)?)\.Add\(", re.MULTILINE | re.IGNORECASE)
AT_KEY = re.compile(r"^[ \t]*(\$\w+)\[", re.MULTILINE)
CONSTANTS: dict[str, Any] = {"$true": True, "$false": False, "$null": None}
# A line of a command whose backtick was lost.
NEXT_LINE = re.compile(r"\s*(?=[-'\"@])")
MOST_LEVELS = 50
MOST_VARIABLES = 100


class File(str):
    """The path of a file."""

    __slots__ = ()


class _NoValue(Exception):
    """Code that is no value."""


def as_text(value: Any) -> str:
    """Write a value as PowerShell does where a text is wanted."""
    if isinstance(value, bool):
        return str(value)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class Script:
    """A text of PowerShell, read from a place on; the variables that it sets, and those that it leaves open."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.place = 0
        self.known: dict[str, Any] = {}
        self.cookies: list[str] = []
        self.variables: list[str] = []

    def read_assignments(self, end: int) -> None:
        """Read what is assigned and added to variables before a place. Other code is left."""
        steps = [(ASSIGNED, self._assign), (ADDED, self._add), (AT_KEY, self._set_key)]
        found = [
            (match.end(), match[1].lower(), step)
            for pattern, step in steps
            for match in pattern.finditer(self._text, 0, end)
        ]
        for place, name, step in sorted(found, key=lambda each: each[0])[:MOST_VARIABLES]:
            if place < self.place:
                continue
            self.place = place
            try:
                step(name)
            except _NoValue:
                continue
        self.variables.clear()

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return the match of a pattern that comes next, and step over it."""
        self._skip()
        found = pattern.match(self._text, self.place)
        self.place = found.end() if found else self.place
        return found

    def is_at_end(self) -> bool:
        """Return whether the command ends here."""
        self._skip()
        rest = self._text[self.place : self.place + 1]
        if rest == "\n" and (line := NEXT_LINE.match(self._text, self.place)):
            self.place = line.end()
            return False
        return rest in ("", "\n", ";", "|", ")", "}")

    def part(self, name: str) -> Any:
        """Read a value. Raises `InvalidCommand` with the name of the part."""
        try:
            return self._value(0)
        except _NoValue:
            sentence = _("The value of %(name)s cannot be read. Write it as text, or as @{…}.")
            raise InvalidCommand(sentence % {"name": name}) from None

    def _assign(self, name: str) -> None:
        self.known[name] = self._value(0)

    def _add(self, name: str) -> None:
        if name.endswith(".cookies"):
            if self.match(COOKIE):
                pair = as_text(self._value(0))
                self._needs(",")
                self.cookies.append(f"{pair}={as_text(self._value(0))}")
        elif isinstance(held := self.known.get(name), dict):
            key = as_text(self._value(0))
            self._needs(",")
            held[key] = self._value(0)

    def _set_key(self, name: str) -> None:
        if isinstance(held := self.known.get(name), dict):
            key = as_text(self._value(0))
            self._needs("]")
            self._needs("=")
            held[key] = self._value(0)

    def _skip(self) -> None:
        match = BLANK.match(self._text, self.place)
        self.place = match.end() if match else self.place

    def _takes(self, mark: str) -> bool:
        self._skip()
        found = self._text.startswith(mark, self.place)
        self.place += len(mark) * found
        return found

    def _needs(self, mark: str) -> None:
        if not self._takes(mark):
            raise _NoValue

    def _value(self, level: int) -> Any:
        """Read a value, texts joined by +, or a value made JSON."""
        value = self._term(level)
        while self._takes("+"):
            value = as_text(value) + as_text(self._term(level))
        if self.match(TO_JSON):
            value = json.dumps(value, ensure_ascii=False)
        return value

    def _term(self, level: int) -> Any:
        if level > MOST_LEVELS:
            raise _NoValue
        while self.match(CAST):
            pass
        if found := self.match(STRING):
            known = {name: as_text(value) for name, value in self.known.items() if not isinstance(value, (dict, list))}
            return unquoted(found, self.variables, known)
        for mark, read in ("@{", self._pairs), ("@(", self._list), ("(", self._group):
            if self._takes(mark):
                return read(level + 1)
        if self.match(GET_ITEM):
            return File(as_text(self._term(level + 1)))
        if found := self.match(METHOD):
            value = self._group(level + 1)
            is_text = found[1].lower() == "getbytes"
            return value if is_text else base64.b64encode(as_text(value).encode()).decode()
        if self.match(MADE):
            return {}
        if found := self.match(BARE):
            return self._named(found[0]) if VARIABLE.fullmatch(found[0]) else self._bare(found[0])
        raise _NoValue

    def _named(self, name: str) -> Any:
        known = CONSTANTS | self.known
        if name.lower() in known:
            return known[name.lower()]
        self.variables.append(name)
        return name

    def _bare(self, text: str) -> Any:
        for name in re.findall(NAME, text, re.IGNORECASE):
            value = self._named(name)
            text = text.replace(name, as_text(value))
        if re.fullmatch(r"-?\d{1,15}(?:\.\d{1,15})?", text):
            return json.loads(text) if not re.match(r"-?0\d", text) else text
        return re.sub(r"`(.)", r"\1", text)

    def _group(self, level: int) -> Any:
        value = self._value(level)
        self._needs(")")
        return value

    def _list(self, level: int) -> list[Any]:
        values = []
        self._between()
        while not self._takes(")"):
            values.append(self._value(level))
            self._between()
        return values

    def _pairs(self, level: int) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        self._between()
        while not self._takes("}"):
            if found := self.match(STRING):
                key = unquoted(found, self.variables)
            elif found := self.match(KEY):
                key = found[0]
            else:
                raise _NoValue
            self._needs("=")
            pairs[key] = self._value(level)
            self._between()
        return pairs

    def _between(self) -> None:
        match = BETWEEN.match(self._text, self.place)
        self.place = match.end() if match else self.place
