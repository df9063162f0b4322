"""Finds the call in a pasted text and the dialect that it is written in."""

import re

from django.utils.translation import gettext as _

from developers.outbound.curl import cmd, http_text, javascript, posix, powershell, web_request
from developers.outbound.curl.cleaning import OUTSIDE, straightened, unfenced, without_prompt
from developers.outbound.curl.options import options_of
from developers.outbound.curl.pasted import Pasted, Words
from developers.outbound.curl.problems import InvalidCommand, excerpt, listed

MOST_CHARACTERS = 100_000
CURL = re.compile(
    r"(?:(?:\w+=\S*|sudo|time|command|exec|env|nohup|call|&)[ \t]+)*(?:[^\s'\"]*[/\\])?curl(?:\.exe)?(?=\s|\Z)",
    re.IGNORECASE,
)
# Behind other words, such as those of a sentence: what follows shows that it is a command.
CURL_INSIDE = re.compile(r"(?<![\w./-])curl(?:\.exe)?(?=[ \t]+(?:[-–—'\"“‘^]|https?:))")
CMD_PROMPT = re.compile(r"\s*[A-Za-z]:\\[^>\n\"]*>")
POWERSHELL_PROMPT = re.compile(r"\s*PS[^>\n]*>")
WEB_REQUEST = re.compile(
    r"(?:[^'\"#]*[\s=(|;&])?(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)(?=\s|\Z)", re.IGNORECASE
)
# What follows the word curl where it is PowerShell's other name of Invoke-WebRequest.
PARAMETERS = re.compile(
    r"(?:[^'\"\n]|'[^'\n]*'|\"[^\"\n]*\")*?\s[-–—](?:uri|method|headers|body|contenttype|usebasicparsing)\b",
    re.IGNORECASE,
)
# A caret before a mark or at the end of a line, outside of quotation marks, or doubled marks inside of them.
OF_CMD = re.compile(
    r"""(?>\$'(?:[^'\\]|\\.)*'|[^'"\\^]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"(?!"))*?
    (?:\^(?=["&|<>%^{\[\\]|[ \t]*\n)|"(?:[^"\\]|\\.)+"")""",
    re.DOTALL | re.VERBOSE,
)
# A backtick at the end of a line, outside of quotation marks, or before a mark inside of double ones.
OF_POWERSHELL = re.compile(
    r"""(?>\$'(?:[^'\\]|\\.)*'|[^'"\\`]|\\.|'[^']*'|"(?:[^"\\`]|\\.)*")*?(?:`[ \t]*\n|"(?:[^"\\`]|\\.)*`["$`])""",
    re.DOTALL,
)
RESPONSE = re.compile(r"HTTP/[\d.]+ \d{3}")
COMMENT = re.compile(r"\s*(?:#|//|::|rem\b|$)", re.IGNORECASE)
SPLIT = {"bash": posix.split, "cmd": cmd.split, "powershell": powershell.split}


def parse(text: str) -> Pasted:
    """Return the call in a text. Raises `InvalidCommand` if there is none, or if it cannot be read."""
    if len(text) > MOST_CHARACTERS:
        raise InvalidCommand(_("The command is too long. Shorten its body and fill that in afterwards."))
    lines = unfenced(text).split("\n")
    for number, line in enumerate(lines):
        if pasted := _call(lines, number, line):
            return pasted
    if RESPONSE.match(lines[0]):
        raise InvalidCommand(_("That is the response of a server. Paste the request."))
    word = lines[0].partition(" ")[0]
    begins = _("No call begins with %(word)s.") % {"word": excerpt(word)} if word else _("There is no call in that.")
    kinds = _("Paste a curl command, fetch(…), Invoke-WebRequest or an HTTP request as text.")
    raise InvalidCommand(f"{begins} {kinds}")


def _call(lines: list[str], number: int, line: str) -> Pasted | None:
    """Return the call that begins on a line, or None."""
    command = without_prompt(line)
    found = CURL.match(command) or CURL_INSIDE.search(command)
    if WEB_REQUEST.match(command) or (found and PARAMETERS.match(command, found.end() - 1)):
        # What stands before it sets variables.
        script = "\n".join([*lines[:number], command, *lines[number + 1 :]])
        return web_request.parse(straightened(script, "powershell"))
    if javascript.CALL.search(command) and not found:
        return javascript.parse("\n".join(lines))
    if found:
        text = "\n".join([command[found.end() :], *lines[number + 1 :]])
        pasted = _curl(text, _shell(line, found[0], text))
    elif http_text.begins(first := command.translate(OUTSIDE).strip()):
        pasted = http_text.parse([first, *lines[number + 1 :]])
    else:
        return None
    if not all(COMMENT.match(each) for each in lines[:number]):
        pasted.left_out.append(_("The lines before the command are left out."))
    return pasted


def _shell(line: str, program: str, text: str) -> str:
    """Return the shell whose rules a command keeps."""
    if CMD_PROMPT.match(line) or OF_CMD.match(text):
        return "cmd"
    # Only there a program ends with .exe and its arguments stand in single quotation marks.
    has_single = program.lower().endswith(".exe") and re.search(r"(?<=\s)'", text)
    return "powershell" if POWERSHELL_PROMPT.match(line) or has_single or OF_POWERSHELL.match(text) else "bash"


def _curl(text: str, shell: str) -> Pasted:
    found = SPLIT[shell](straightened(text, shell))
    return Pasted(shell, list(options_of(found.words)), found.left_out, _to_do(found))


def _to_do(found: Words) -> list[str]:
    if names := listed(found.variables):
        found.to_do.append(_("Replace these shell variables by values: %(names)s.") % {"names": names})
    return found.to_do
