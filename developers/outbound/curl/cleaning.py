"""Takes from a pasted text what copying added to it. Nothing inside of quotation marks changes."""

import re

from developers.outbound.curl.options import long_name

# Markdown's fences, around the text or around a part of it.
FENCED = re.compile(
    r"(?:^|\n)[ \t]*(?P<fence>```+|~~~+)[^\n`]*\n(?P<text>.*?)(?:\n[ \t]*(?P=fence)[ \t]*(?=\n|\Z)|\Z)", re.DOTALL
)
INLINE = re.compile(r"\s*(?P<ticks>`{1,2})(?P<text>[^`\n].*[^`\n])(?P=ticks)\s*", re.DOTALL)
# What a shell writes before a command, and before a line that goes on.
PROMPT = re.compile(
    r"""
    (?: \([\w.-]+\)[ ] )?
    (?: [$%#>❯➜»][ ]+
      | PS(?:[ ][A-Za-z]:[^>\n]*|[ ]/[^>\n]*)?>+[ ]*
      | [A-Za-z]:\\[^>\n"]*>[ ]*
      | \[?[\w.-]+@[\w.-]+[^\n$\#%>"']{0,80}[$\#%>][ ]+
      | (?:ba|z|k|da)?sh-[\d.]+[$\#][ ]+
    )
    """,
    re.VERBOSE,
)
DOUBLE, SINGLE = "“”„‟＂", "‘’‚‛＇"
MOST_LEVELS = 10
DASHES = "‐‑‒–—―−﹣－"
BLANKS = dict.fromkeys(
    "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
)
HIDDEN = dict.fromkeys("\xad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", "")
BREAKS = dict.fromkeys("\x85\u2028\u2029", "\n")
OUTSIDE = str.maketrans(BLANKS | HIDDEN | BREAKS)
# What is quoted, for each shell.
QUOTED = {
    "bash": r"""\$'(?:[^'\\]|\\.)*' | '[^']*' | "(?:[^"\\]|\\.)*\"""",
    "cmd": r"""\^"(?:\^\\\^.|\^[^"]|[^^])*\^" | "(?:[^"\\]|\\.)*\"""",
    "powershell": r"""@'[ \t]*\n.*?\n'@ | @"[ \t]*\n.*?\n"@ | '[^']*' | "(?:[^"`]|`.)*\"""",
}


def _pieces(quoted: str, escape: str) -> re.Pattern[str]:
    return re.compile(
        rf"""
          (?P<quoted>{quoted})
        | (?P<open>[{DOUBLE}{SINGLE}])
        | (?P<dash>(?<!\S)[-{DASHES}]{{1,2}}(?P<name>\w[\w.-]*))
        | (?P<line>[\\^`][^\S\n]*\n[ \t]*(?:(?:>{{1,2}}|More\?)[ \t]+(?=[-'"{DASHES}{DOUBLE}{SINGLE}^]|https?:))?)
        | (?P<plain>{escape}.|[^\\'"`^{DOUBLE}{SINGLE}\s{DASHES}-]+|.)
        """,
        re.VERBOSE | re.DOTALL,
    )


PIECES = {shell: _pieces(quoted, r"`" if shell == "powershell" else r"\\") for shell, quoted in QUOTED.items()}


def unfenced(text: str) -> str:
    """Return the text inside of a fence of Markdown, or the whole text; with line breaks of one kind."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("".join([*HIDDEN, " ", "\t", "\n"])).rstrip()
    fenced = FENCED.search(text)
    # A body may hold a fence too.
    if fenced and not re.search("['\"]", text[: fenced.start()]):
        text = fenced["text"].strip()
    if inline := INLINE.fullmatch(text):
        text = inline["text"].strip()
    return text


def without_prompt(line: str) -> str:
    """Return a line without the prompt of a shell before it."""
    line = line.lstrip("".join([*BLANKS, *HIDDEN, " ", "\t"]))
    prompt = PROMPT.match(line)
    return line[prompt.end() :] if prompt else line


def straightened(text: str, shell: str = "bash") -> str:
    """Return a command with the marks of a shell for those of a document, outside of quotation marks."""
    pieces: list[str] = []
    place = 0
    pattern = PIECES[shell]
    while match := pattern.match(text, place):
        place = match.end()
        if match["open"] and not _is_apostrophe(text, match.start()):
            piece, place = _curly(text, match.start())
        elif match["quoted"]:
            piece = match[0]
        elif match["dash"]:
            piece = _option(match[0], match["name"])
        elif match["line"]:
            blank = " " if match[0][1:] != "\n" else ""
            piece = f"{match[0][0]}\n{blank}"
        else:
            piece = match[0].translate(OUTSIDE)
        pieces.append(piece)
    return "".join(pieces)


def _option(text: str, name: str) -> str:
    if text.isascii():
        return text
    # Documents make one dash of two.
    is_long = len(name) > 1 and (long_name(name) or name.startswith("no-"))
    return f"--{name}" if is_long else f"-{name}"


def _curly(text: str, start: int) -> tuple[str, int]:
    """Return what is quoted by curly marks, quoted by straight ones, and where it ends."""
    is_double = text[start] in DOUBLE
    marks, others, straight = (DOUBLE, SINGLE, '"') if is_double else (SINGLE, DOUBLE, "'")
    end = _closing(text, start, marks)
    if end < 0:
        end = text.find(straight, start)
    if end < 0:
        return text[start], start + 1
    inside = text[start + 1 : end].translate(dict.fromkeys(map(ord, others), "'" if is_double else '"'))
    escaped = re.sub(rf'(?<!\\)["{marks}]', r'\\"', inside) if is_double else inside.replace("'", "'\\''")
    return f"{straight}{escaped}{straight}", end + 1


def _is_apostrophe(text: str, place: int) -> bool:
    return text[place] == "’" and text[place - 1].isalnum() and text[place + 1 : place + 2].isalnum()


def _closing(text: str, start: int, marks: str) -> int:
    """Return the place of the mark that closes the one at `start`, or -1. Documents turn nested marks too."""
    depth, first = 0, -1
    for place in range(start + 1, len(text)):
        each = text[place]
        if each not in marks or _is_apostrophe(text, place):
            continue
        first = place if first < 0 else first
        if each in "“‘" and text[start] in "“‘":
            depth += 1
            if depth > MOST_LEVELS:
                return first
        elif depth:
            depth -= 1
        else:
            return place
    return first
