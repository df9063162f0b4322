"""Reads literals of JavaScript, and the variables that hold them. No code is run."""

import json
import re
from typing import Any

from django.utils.translation import gettext as _

from developers.outbound.curl.problems import InvalidCommand, excerpt, not_a_character

MOST_LEVELS = 100
MOST_VARIABLES = 100
BLANK = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
STRING = re.compile(r"""'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`""", re.DOTALL)
ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,8})\}|(\r?\n|[\u2028\u2029])|(.))", re.DOTALL
)
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
IN_TEMPLATE = re.compile(r"(?<!\\)\$\{([^{}]*)\}")
NUMBER = re.compile(r"[-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,3})?")
NAME = re.compile(r"[A-Za-z_$][\w$]*(?:\s*\.\s*[A-Za-z_$][\w$]*)*")
ASSIGNED = re.compile(r"(?:\b(?:const|let|var)\s+)?(?<![\w.$])([A-Za-z_$][\w$]*)\s*=(?![=>])")
APPENDED = re.compile(r"(?<![\w.$])([A-Za-z_$][\w$]*)\.(?:append|set)\s*\(")
KEYWORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "undefined": None}


class Form(list[tuple[str, str]]):
    """The content of URLSearchParams."""


class FormParts(Form):
    """The content of FormData, which is sent as multipart/form-data."""


class Variable(str):
    """A variable without a known value, as text."""

    __slots__ = ()


class _NoLiteral(Exception):
    """Code that is no literal."""


def pairs_of(headers: Any) -> list[tuple[str, str]]:
    if isinstance(headers, dict):
        return [(name, as_text(value)) for name, value in headers.items()]
    if isinstance(headers, list):
        return [
            (str(each[0]), as_text(each[1])) for each in headers if isinstance(each, (list, tuple)) and len(each) > 1
        ]
    return []


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class Literals:
    """Reads literals from a place on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[str, Any] = {}
        self.place = 0
        self.variables: list[str] = []

    def read_variables(self, end: int) -> None:
        """Read what is assigned before the call, and what is appended to it. Other code is left."""
        found = [(match.end(), match[1], True) for match in ASSIGNED.finditer(self._text, 0, end)]
        found += [(match.end(), match[1], False) for match in APPENDED.finditer(self._text, 0, end)]
        for self.place, name, is_assigned in sorted(found)[:MOST_VARIABLES]:
            if self.place < end and (is_assigned or name in self._known):
                self._try_variable(name, is_assigned=is_assigned)
        self.variables.clear()

    def _try_variable(self, name: str, *, is_assigned: bool) -> None:
        try:
            value = self._value(0)
            if is_assigned:
                self._known[name] = value
            elif self.takes(","):
                held = self._known[name]
                pair = (as_text(value), as_text(self._value(0)))
                if isinstance(held, dict):
                    held[pair[0]] = pair[1]
                elif isinstance(held, list):
                    held.append(pair)
        except _NoLiteral:
            return

    def part(self, sentence: str) -> Any:
        """Read a value. Raises `InvalidCommand` with the sentence if it is no literal."""
        try:
            return self._value(0)
        except _NoLiteral:
            raise InvalidCommand(sentence) from None

    def options(self) -> dict[str, Any]:
        """Read the second argument of fetch, option by option, so that an error names the option."""
        self._skip()
        if not self._text.startswith("{", self.place):
            options = self.part(_("In fetch(…) what follows the URL cannot be read. Write it as text or as an object."))
            if isinstance(options, dict):
                return options
            if isinstance(options, Variable):
                sentence = _(
                    "The options of fetch(…) stand in %(name)s, which cannot be read. Write them in its place."
                )
                raise InvalidCommand(sentence % {"name": excerpt(options[2:-1])})
            raise InvalidCommand(_("What follows the URL in fetch(…) is no object. Write the options as {…}."))
        self.place += 1
        options = {}
        while not self.takes("}"):
            try:
                name = self._key()
            except _NoLiteral:
                raise InvalidCommand(_("The options of fetch(…) are not complete. Paste the whole call.")) from None
            # Translators: %(name)s is the name of an option, such as headers.
            sentence = _("In fetch(…) %(name)s cannot be read. Write it as text or as an object.")
            unreadable = sentence % {"name": excerpt(name)}
            options[name] = self.part(unreadable) if self.takes(":") else self._known_or_variable(name)
            self.takes(",")
        return options

    def takes(self, mark: str) -> bool:
        """Return whether a mark comes next, and step over it."""
        self._skip()
        found = self._text.startswith(mark, self.place)
        self.place += len(mark) * found
        return found

    def _skip(self) -> None:
        match = BLANK.match(self._text, self.place)
        self.place = match.end() if match else self.place

    def _needs(self, mark: str) -> None:
        if not self.takes(mark):
            raise _NoLiteral

    def _value(self, level: int) -> Any:
        """Read a literal, or texts joined by +."""
        value = self._term(level)
        while self.takes("+"):
            value = as_text(value) + as_text(self._term(level))
        return value

    def _term(self, level: int) -> Any:
        if level > MOST_LEVELS:
            raise _NoLiteral
        self._skip()
        if match := STRING.match(self._text, self.place):
            self.place = match.end()
            return self._string(match)
        if match := NUMBER.match(self._text, self.place):
            self.place = match.end()
            return _number(match[0])
        for mark, closing in ("{", "}"), ("[", "]"), ("(", ")"):
            if self.takes(mark):
                return self._group(mark, closing, level + 1)
        if match := NAME.match(self._text, self.place):
            self.place = match.end()
            return self._named(re.sub(r"\s", "", match[0]), level + 1)
        raise _NoLiteral

    def _group(self, mark: str, closing: str, level: int) -> Any:
        if mark == "(":
            value = self._value(level)
            self._needs(closing)
            return value
        pairs: dict[str, Any] = {}
        values: list[Any] = []
        while not self.takes(closing):
            if mark == "{":
                name = self._key()
                pairs[name] = self._value(level) if self.takes(":") else self._known_or_variable(name)
            else:
                values.append(self._value(level))
            if not self.takes(","):
                self._needs(closing)
                break
        return pairs if mark == "{" else values

    def _key(self) -> str:
        self._skip()
        match = STRING.match(self._text, self.place) or re.compile(r"[\w$]+").match(self._text, self.place)
        if match is None:
            raise _NoLiteral
        self.place = match.end()
        return self._string(match) if match.re is STRING else match[0]

    def _named(self, name: str, level: int) -> Any:
        """Read a keyword, one of the functions that keep a literal, or a variable."""
        if name in KEYWORDS:
            return KEYWORDS[name]
        if name == "new":
            match = re.compile(r"\s*(Headers|URLSearchParams|URL|FormData)\b").match(self._text, self.place)
            if match is None:
                raise _NoLiteral
            self.place = match.end()
            return self._made(match[1], level)
        if name == "JSON.stringify" and self.takes("("):
            value = self._value(level)
            while self.takes(","):
                self._value(level)
            self._needs(")")
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if self.takes("("):
            raise _NoLiteral
        return self._known_or_variable(name)

    def _made(self, kind: str, level: int) -> Any:
        self._needs("(")
        value = None
        if not self.takes(")"):
            value = self._value(level)
            self._needs(")")
        if kind == "URL":
            return value
        if kind == "FormData":
            return FormParts()
        if isinstance(value, str):
            return value
        return pairs_of(value) if kind == "Headers" else Form(pairs_of(value))

    def _known_or_variable(self, name: str) -> Any:
        if name in self._known:
            return self._known[name]
        self.variables.append(name)
        return Variable(f"${{{name}}}")

    def _string(self, match: re.Match[str]) -> str:
        plain = match[1] if match[1] is not None else match[2]
        if plain is not None:
            return _unescaped(plain)
        return _unescaped(IN_TEMPLATE.sub(self._in_template, match[3]))

    def _in_template(self, match: re.Match[str]) -> str:
        held = self._known.get(match[1].strip())
        if isinstance(held, str) and not isinstance(held, Variable):
            return held.replace("\\", "\\\\")
        self.variables.append(match[1].strip())
        return match[0]


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 1e21 else number  # noqa: PLR2004 - from there on JavaScript writes an exponent


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code:
            return chr(int(code, 16))
        return "" if match[4] else ESCAPED.get(match[5], match[5])

    try:
        return ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16")
    except (ValueError, OverflowError):
        raise InvalidCommand(not_a_character()) from None
