"""The options of curl that are known here, and how a command is split into options."""

import re
import shlex
from collections.abc import Iterator

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MOST_CHARACTERS = 100_000

# The long names of curl's short options, from its manual.
SHORT = {
    "A": "user-agent",
    "b": "cookie",
    "c": "cookie-jar",
    "d": "data",
    "D": "dump-header",
    "e": "referer",
    "E": "cert",
    "f": "fail",
    "F": "form",
    "g": "globoff",
    "G": "get",
    "h": "help",
    "H": "header",
    "i": "include",
    "I": "head",
    "j": "junk-session-cookies",
    "k": "insecure",
    "K": "config",
    "L": "location",
    "m": "max-time",
    "n": "netrc",
    "N": "no-buffer",
    "o": "output",
    "O": "remote-name",
    "q": "disable",
    "s": "silent",
    "S": "show-error",
    "T": "upload-file",
    "u": "user",
    "v": "verbose",
    "w": "write-out",
    "x": "proxy",
    "X": "request",
    "0": "http1.0",
    "1": "tlsv1",
    "4": "ipv4",
    "6": "ipv6",
    "#": "progress-bar",
}
DATA = {"data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json"}
SUPPORTED_WITH_VALUE = DATA | {"request", "header", "user-agent", "referer", "cookie", "user", "oauth2-bearer", "url"}
SUPPORTED = {"get", "location", "globoff"}
# These change how curl prints or connects, not what it requests.
IGNORED_WITH_VALUE = {
    *("output", "write-out", "max-time", "connect-timeout", "retry", "retry-delay", "retry-max-time", "cookie-jar"),
    *("proxy", "dump-header", "resolve", "cacert", "capath", "cert", "key", "max-redirs", "limit-rate", "interface"),
    *("ciphers", "tls-max", "proxy-user", "connect-to", "keepalive-time", "stderr", "trace", "trace-ascii"),
}
IGNORED = {
    *("silent", "show-error", "include", "verbose", "compressed", "insecure", "fail", "fail-with-body", "no-buffer"),
    *("http1.0", "http1.1", "http2", "http2-prior-knowledge", "http3", "ipv4", "ipv6", "progress-bar", "netrc"),
    *("no-progress-meter", "path-as-is", "junk-session-cookies", "disable", "remote-name", "tlsv1", "tlsv1.2"),
    *("tlsv1.3", "location-trusted", "post301", "post302", "post303", "remote-header-name", "tcp-nodelay"),
}
REFUSED: dict[str, str | Promise] = {
    **dict.fromkeys(
        ("form", "form-string"),
        gettext_lazy("Forms with files are not sent. An API takes JSON: paste a command with -d instead of -F."),
    ),
    "upload-file": gettext_lazy("Files are not read. Paste what is to be sent itself, after -d."),
    "config": gettext_lazy("Files are not read. Write the options of that file into the command itself."),
    "head": gettext_lazy("A HEAD request has no response to show. Use GET instead."),
    "help": gettext_lazy("That asks curl for its manual. Paste a command that calls a URL."),
}
COMMAND_ENDS = {"|", "||", "&", "&&", ";", ">", ">>", "<", "2>", "2>&1"}
# bash's $'…', which browsers use for text with quotes or line breaks. Inside other quotes it is plain text.
ANSI_C_QUOTED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.|\$'((?:[^'\\]|\\.)*)'""", re.DOTALL)
ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|(.))", re.DOTALL)
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}


class InvalidCommand(Exception):
    """A command that makes no recipe. The text is a sentence that says why and what to do."""


def split_words(command: str) -> list[str]:
    """Split a command as a POSIX shell would."""
    if len(command) > MOST_CHARACTERS:
        raise InvalidCommand(_("The command is too long. Shorten its body and fill that in afterwards."))
    text = ANSI_C_QUOTED.sub(_requoted, command.strip())
    try:
        tokens = shlex.split(text.replace("\\\r\n", " ").replace("\\\n", " ").removeprefix("$ "))
    except ValueError:
        raise InvalidCommand(_("A quotation mark is opened and never closed. Paste the whole command.")) from None
    if not tokens or tokens[0] not in ("curl", "curl.exe"):
        raise InvalidCommand(_("That is no curl command. A curl command begins with the word curl."))
    return tokens[1:]


def _requoted(match: re.Match[str]) -> str:
    return match[0] if match[1] is None else shlex.quote(_unescaped(match[1]))


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        return chr(int(code, 16)) if code else ESCAPED.get(match[4], match[4])

    try:
        # Browsers write characters beyond 16 bits as surrogate pairs.
        return ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16")
    except (ValueError, OverflowError):
        raise InvalidCommand(_("The command holds a character that does not exist. Paste it anew.")) from None


def options_of(tokens: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each option up to the next command: its long name, and its value or an empty string.

    An address is the option `url`.
    """
    rest = iter(tokens)
    for word in rest:
        if word in COMMAND_ENDS:
            return
        if word == "--":
            yield from (("url", each) for each in rest)
        elif word.startswith("--"):
            name, has_value, value = word[2:].partition("=")
            yield name, _value(name, rest) if not has_value and _takes_value(name) else value
        elif word.startswith("-") and word != "-":
            yield from _short_options(word[1:], rest)
        else:
            yield "url", word


def _short_options(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of a word like `-sXPOST`: the first one that takes a value takes the rest of the word."""
    for place, letter in enumerate(letters, start=1):
        name = SHORT.get(letter, f"-{letter}")
        if _takes_value(name):
            yield name, letters[place:] or _value(name, rest)
            return
        yield name, ""


def _takes_value(name: str) -> bool:
    """Return whether an option takes a value. Raises `InvalidCommand` for an unknown option."""
    if name in SUPPORTED_WITH_VALUE or name in IGNORED_WITH_VALUE:
        return True
    if name in SUPPORTED or name in IGNORED or name in REFUSED:
        return False
    raise InvalidCommand(
        _("The option %(option)s is not known here. Take it out of the command and try again.")
        % {"option": spelled(name)}
    )


def _value(name: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise InvalidCommand(
            _("The option %(option)s has no value. Paste the whole command.") % {"option": spelled(name)}
        )
    return value


def spelled(name: str) -> str:
    return name if name.startswith("-") else f"--{name}"
