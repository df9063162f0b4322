"""Splits a command as cmd.exe and then the C library of Windows do. Browsers copy it as "cURL (cmd)"."""

import re

from developers.outbound.curl.pasted import Words, unclosed
from developers.outbound.curl.problems import InvalidCommand

# cmd.exe removes carets. A caret at the end of a line takes the next character as text, even a line break. A quotation
# mark after a caret quotes nothing for cmd.exe, but does for the C library. Escaped marks do not end what is quoted,
# although cmd.exe has it so: manuals mean them for the C library. Browsers double each backslash, although the C
# library wants that only before a mark; the call of the browser is what is meant.
FIRST_PASS = re.compile(
    r"""
      \^[ \t]*\n(?P<continued>.?)
    | (?P<doubled>(?:\^\\)++)(?!\^?")
    | \^(?P<escaped>.)
    | (?P<quoted>"(?:[^"\\]|\\.|"")*")
    | (?P<redirect>(?:(?<!\S)\d)?(?:>>|>&|[<>])[ \t]*[^ \t\n&|]*)
    | (?P<glued>&(?=[^\s&]))
    | (?P<end>&&|\|\||[|&]|\n\s*)
    | (?P<text>[^\^"&|<>\n \t]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
# For the C library backslashes are special only before a quotation mark.
SECOND_PASS = re.compile(r'(?P<backslashes>\\+)(?=")|(?P<mark>")|(?P<blank>[ \t]+)|(?P<text>[^\\" \t]+|\\+)')
VARIABLE = re.compile(r"%[A-Za-z_][A-Za-z0-9_]{2,}%")


def split(text: str) -> Words:
    """Split the first command of a text. Raises `InvalidCommand` if a quotation mark is never closed."""
    found = Words()
    pieces: list[str] = []
    is_in_query = False
    for match in FIRST_PASS.finditer(text):
        kind = str(match.lastgroup)
        value = match[kind]
        if kind == "doubled":
            value = "\\" * ((len(value) // 2 + 1) // 2)
        if kind == "glued" and is_in_query:
            found.note_ampersand()
        elif kind in ("glued", "end"):
            # Only the first command has words, so a line break before it ends nothing.
            found.words = ["".join(pieces).strip()] if pieces else []
            if found.ends(value, text, match.end()):
                break
            value = " "
        is_in_query = (is_in_query or "?" in value) and not value.isspace()
        pieces.append("" if kind == "redirect" else value)
    line = "".join(pieces)
    found.variables = VARIABLE.findall(line)
    found.words = arguments(line)
    return found


def arguments(line: str) -> list[str]:
    """Split a command line into arguments, as the C library of Windows does."""
    words: list[str] = []
    word: str | None = None
    is_quoted = False
    place = 0
    while match := SECOND_PASS.match(line, place):
        kind, text, place = match.lastgroup, match[0], match.end()
        if kind == "blank" and not is_quoted:
            words += [] if word is None else [word]
            word = None
            continue
        if kind == "backslashes":
            is_text = len(text) % 2 == 1
            text = "\\" * (len(text) // 2) + '"' * is_text
            place += is_text
        elif kind == "mark":
            # Inside of quotes two marks stand for one.
            is_text = is_quoted and line.startswith('"', place)
            text = '"' * is_text
            place += is_text
            is_quoted ^= not is_text
        word = (word or "") + text
    if is_quoted:
        raise InvalidCommand(unclosed('"', words))
    return words if word is None else [*words, word]
