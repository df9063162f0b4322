"""PowerShell's quotation marks, and a command of another program, such as curl.exe, split as PowerShell does."""

import re

from developers.outbound.curl.pasted import Words, unclosed
from developers.outbound.curl.problems import InvalidCommand, not_a_character

# about_Quoting_Rules and about_Special_Characters of PowerShell's manual.
HERE_STRING = r"""@'[ \t]*\n(?P<here>.*?)\n'@|@"[ \t]*\n(?P<filled>.*?)\n"@"""
SINGLE = r"'(?P<single>(?:[^']|'')*)'"
DOUBLE = r'"(?P<double>(?:[^"`]|`.|"")*)"'
VARIABLE = r"\$\{[^}\n]{0,100}\}|\$(?:env:)?[A-Za-z_]\w*"
STRING = re.compile(rf"{HERE_STRING}|{SINGLE}|{DOUBLE}", re.DOTALL | re.IGNORECASE)
IN_DOUBLE = re.compile(
    rf"""`u\{{(?P<code>[0-9a-f]{{1,6}})\}} | `(?P<escaped>.) | "(?P<mark>")
    | \$\(\[char\]\s*(?P<char>0x[0-9a-f]{{1,6}}|\d{{1,7}})\) | (?P<variable>\$\([^()]*\)|{VARIABLE})""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
ESCAPED = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\n": "",
}
PIECES = re.compile(
    rf"""
      (?P<continued>`[ \t]*(?:\n|\Z))
    | `(?P<escaped>.)
    | (?P<string>{HERE_STRING}|{SINGLE}|{DOUBLE})
    | (?P<unclosed>['"])
    | (?P<comment>(?<!\S)\#[^\n]*)
    | (?P<redirect>(?:(?<!\S)[\d*])?>>?(?:&1|[ \t]*[^\s;|&]*))
    | (?P<glued>&(?=[^\s&]))
    | (?P<end>&&|\|\||[;|&]|\n\s*)
    | (?P<blank>[ \t]+)
    | (?P<variable>{VARIABLE})
    | (?P<text>[^`'"$<>&;|\n \t\#]+|.)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


def split(text: str) -> Words:
    """Split the first command of a text. Raises `InvalidCommand` if a quotation mark is never closed."""
    found = Words()
    word: str | None = None
    for match in PIECES.finditer(text):
        # The last group that matched is inside of the string.
        kind = "string" if match["string"] is not None else str(match.lastgroup)
        value = match[kind]
        if kind == "unclosed":
            raise InvalidCommand(unclosed(value, found.words))
        if kind == "glued" and word and "?" in word:
            found.note_ampersand()
        elif kind in ("continued", "comment", "redirect", "glued", "end", "blank"):
            found.words += [] if word is None else [_argument(word)]
            word = None
            if kind in ("glued", "end") and found.ends(value, text, match.end()):
                break
            continue
        word = (word or "") + _read(kind, match, found)
    found.words += [] if word is None else [_argument(word)]
    return found


def unquoted(match: re.Match[str], variables: list[str], known: dict[str, str] | None = None) -> str:
    """Return the text of a match of `STRING`, with the variables that are known. The others are noted and stay."""
    if match["here"] is not None:
        return match["here"]
    if match["single"] is not None:
        return match["single"].replace("''", "'")

    def part(inner: re.Match[str]) -> str:
        if code := inner["code"]:
            return _character(int(code, 16))
        if char := inner["char"]:
            return _character(int(char, 0) if char.lower().startswith("0x") else int(char))
        if inner["variable"]:
            name = inner["variable"]
            if known and name.lower() in known:
                return known[name.lower()]
            variables.append(name)
            return name
        if inner["mark"]:
            return '"' if match["filled"] is None else '""'
        return ESCAPED.get(inner["escaped"], inner["escaped"])

    return paired(IN_DOUBLE.sub(part, match["filled"] if match["double"] is None else match["double"]))


def paired(text: str) -> str:
    """Return a text whose characters beyond 16 bits may be written as two, as browsers do."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise InvalidCommand(not_a_character()) from None


def _character(code: int) -> str:
    if code > 0x10FFFF:  # noqa: PLR2004 - the last one of Unicode
        raise InvalidCommand(not_a_character())
    return chr(code)


def _read(kind: str, match: re.Match[str], found: Words) -> str:
    if kind == "string":
        return unquoted(match, found.variables)
    if kind == "variable":
        found.variables.append(match["variable"])
    return match[kind]


def _argument(word: str) -> str:
    # Until version 7.3 PowerShell passed marks on as they are, so a backslash stands before each for the program.
    return word.replace('\\"', '"') if '"' in word and not re.search(r'(?<!\\)"', word) else word
