"""Finds the call in a pasted text and the dialect that it is written in."""

import re

from django.utils.translation import gettext as _

from developers.outbound.curl import cmd, posix
from developers.outbound.curl.cleaning import straightened, unfenced, without_prompt
from developers.outbound.curl.options import options_of
from developers.outbound.curl.pasted import Pasted, Words
from developers.outbound.curl.problems import InvalidCommand, excerpt

MOST_CHARACTERS = 100_000
CURL = re.compile(
    r"(?:(?:\w+=\S*|sudo|time|command|exec|env|nohup|call|&)[ \t]+)*(?:[^\s'\"]*[/\\])?curl(?:\.exe)?(?=\s|\Z)",
    re.IGNORECASE,
)
# Behind other words, such as those of a sentence: what follows shows that it is a command.
CURL_INSIDE = re.compile(r"(?<![\w./-])curl(?:\.exe)?(?=[ \t]+(?:[-–—'\"“‘^]|https?:))")
CMD_PROMPT = re.compile(r"\s*[A-Za-z]:\\[^>\n\"]*>")
COMMENT = re.compile(r"\s*(?:#|//|::|rem\b|$)", re.IGNORECASE)
# A caret before a mark or at the end of a line, outside of quotation marks, or doubled marks inside of them.
OF_CMD = re.compile(
    r"""(?:[^'"\\^]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"(?!"))*?(?:\^(?=["&|<>%^{\[\\]|[ \t]*\n)|"(?:[^"\\]|\\.)+"")""",
    re.DOTALL,
)


def parse(text: str) -> Pasted:
    """Return the call in a text. Raises `InvalidCommand` if there is none, or if it cannot be read."""
    if len(text) > MOST_CHARACTERS:
        raise InvalidCommand(_("The command is too long. Shorten its body and fill that in afterwards."))
    lines = unfenced(text).split("\n")
    for number, line in enumerate(lines):
        command = without_prompt(line)
        if found := CURL.match(command) or CURL_INSIDE.search(command):
            is_cmd = CMD_PROMPT.match(line) is not None
            pasted = _curl("\n".join([command[found.end() :], *lines[number + 1 :]]), is_cmd=is_cmd)
            if not all(COMMENT.match(each) for each in lines[:number]):
                pasted.left_out.append(_("The lines before the command are left out."))
            return pasted
    kinds = _("Paste a curl command, fetch(…), Invoke-WebRequest or an HTTP request as text.")
    if word := lines[0].partition(" ")[0]:
        raise InvalidCommand(_("No call begins with %(word)s. %(kinds)s") % {"word": excerpt(word), "kinds": kinds})
    raise InvalidCommand(_("There is no call in that. %(kinds)s") % {"kinds": kinds})


def _curl(text: str, *, is_cmd: bool) -> Pasted:
    is_cmd = is_cmd or OF_CMD.match(text) is not None
    text = straightened(text, is_cmd=is_cmd)
    found = (cmd.split if is_cmd else posix.split)(text)
    return Pasted("cmd" if is_cmd else "bash", list(options_of(found.words)), found.left_out, _to_do(found))


def _to_do(found: Words) -> list[str]:
    names = list(dict.fromkeys(found.variables))
    if names:
        sentence = _("Replace these shell variables by values: %(names)s.")
        found.to_do.append(sentence % {"names": ", ".join(map(excerpt, names))})
    return found.to_do
