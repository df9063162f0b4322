"""Splits a command as bash does. Nothing is run and nothing is filled in."""

import re

from developers.outbound.curl.pasted import Words, unclosed
from developers.outbound.curl.problems import InvalidCommand, not_a_character

VARIABLE = r"(?P<variable>\$\{[^}\n]{0,100}\}|\$\([^()]*\)|`[^`]*`|\$[A-Za-z_]\w*)"
# The parts of a command, from IEEE 1003.1, chapter 2, and bash's manual, section 3.1.2. Blanks after a backslash at
# the end of a line come from copying.
PIECES = re.compile(
    rf"""
      (?P<joined>\\\n)
    | (?P<continued>\\[ \t]*(?:\n|\Z))
    | \\(?P<escaped>.)
    | '(?P<single>[^']*)'
    | \$'(?P<ansi>(?:[^'\\]|\\.)*)'
    | \$?"(?P<double>(?:[^"\\]|\\.)*)"
    | (?P<unclosed>['"])
    | (?P<comment>(?<!\S)\#[^\n]*)
    | (?P<placeholder><[A-Za-z][\w-]*(?:[ .][\w-]+)*>)
    | (?P<redirect>(?:(?<!\S)\d|&)?(?:>>|>\||>&|<<<|<<-?|<&|[<>])[ \t]*)
    | (?P<glued>&(?=[^\s&]))
    | (?P<end>&&|\|\||[;|&)]|\n\s*)
    | (?P<blank>[ \t]+)
    | {VARIABLE}
    | (?P<text>[^\\'"$`<>&;|)\n \t#]+|.)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
IN_DOUBLE_QUOTES = re.compile(rf"\\(?:\n|(?P<escaped>[\\\"$`]))|{VARIABLE}", re.ASCII)
# Text that the shell would pass to the command as its input, which `-d @-` sends.
HERE = re.compile(r"<<-?[ \t]*(['\"]?)(\w+)\1([^\n]*)\n(?:(.*?)\n)??[ \t]*\2[ \t]*(?=\n|\Z)", re.DOTALL)
ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))", re.DOTALL
)
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}


def split(text: str) -> Words:
    """Split the first command of a text. Raises `InvalidCommand` if a quotation mark is never closed."""
    return _Splitter(text).split()


class _Splitter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._found = Words()
        # The parts of a word, and None between words.
        self._word: list[str] | None = None
        self._is_in_query = False
        self._skips_word = False
        self._may_have_input = True

    def split(self) -> Words:
        for match in PIECES.finditer(self._text):
            kind = str(match.lastgroup)
            value = match[kind]
            if kind == "joined":
                continue
            if kind == "redirect" and (here := self._input_at(match.start())):
                return self._with_input(here)
            if kind == "unclosed":
                raise InvalidCommand(unclosed(value, self._found.words))
            if kind == "glued" and self._is_in_query:
                self._found.note_ampersand()
                kind = "text"
            elif kind == "glued":
                kind = "end"
            if kind in ("continued", "blank", "comment", "redirect", "end"):
                self._end_word()
                self._skips_word = kind == "redirect" or (self._skips_word and kind in ("continued", "blank"))
                if kind == "end" and self._found.ends(value, self._text, match.end()):
                    return self._found
            else:
                text = self._read(kind, value)
                self._word = self._word or []
                self._word.append(text)
                self._is_in_query |= "?" in text
        self._end_word()
        return self._found

    def _input_at(self, place: int) -> re.Match[str] | None:
        # Once: each try may look at the whole text.
        is_first, self._may_have_input = self._may_have_input, False
        return HERE.match(self._text, place) if is_first else None

    def _with_input(self, here: re.Match[str]) -> Words:
        self._end_word()
        quote, _delimiter, rest, text = here.groups("")
        if not quote:
            self._found.variables += [match["variable"] for match in re.finditer(VARIABLE, text, re.ASCII)]
        words = [*self._found.words, *split(rest).words]
        self._found.words = [text if word == "@-" else word for word in words]
        return self._found

    def _end_word(self) -> None:
        if self._word is not None and not self._skips_word:
            self._found.words.append("".join(self._word))
        if self._word is not None:
            self._skips_word = False
        self._word = None
        self._is_in_query = False

    def _read(self, kind: str, value: str) -> str:
        if kind == "ansi":
            return _unescaped(value)
        if kind == "double":
            return IN_DOUBLE_QUOTES.sub(self._in_double_quotes, value)
        if kind == "variable":
            self._found.variables.append(value)
        return value

    def _in_double_quotes(self, match: re.Match[str]) -> str:
        if match["variable"]:
            self._found.variables.append(match["variable"])
            return match["variable"]
        return match["escaped"] or ""


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        if code := match[1] or match[2] or match[3]:
            return chr(int(code, 16))
        if match[4]:
            return chr(int(match[4], 8) & 0xFF)
        if match[5]:
            return chr(ord(match[5].upper()) & 0x1F)
        return ESCAPED.get(match[6], match[6])

    try:
        # Browsers write characters beyond 16 bits as surrogate pairs.
        return ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16")
    except (ValueError, OverflowError):
        raise InvalidCommand(not_a_character()) from None
