"""curl commands: `read` makes a recipe of a pasted one, `write` prints a recipe as one.

Options that mean nothing here are left out and listed. Nothing is ever run, and no file is read.
"""

import base64
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit, urlunsplit

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from developers.outbound.recipe import METHODS, Recipe, RecipeField

MOST_CHARACTERS = 100_000

# curl's own names of short options, those of its manual that have a long one.
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
TAKEN_WITH_VALUE = DATA | {"request", "header", "user-agent", "referer", "cookie", "user", "oauth2-bearer", "url"}
TAKEN = {"get", "location", "globoff"}
# They change how curl prints or connects, not what is asked for.
LEFT_OUT_WITH_VALUE = {
    *("output", "write-out", "max-time", "connect-timeout", "retry", "retry-delay", "retry-max-time", "cookie-jar"),
    *("proxy", "dump-header", "resolve", "cacert", "capath", "cert", "key", "max-redirs", "limit-rate", "interface"),
    *("ciphers", "tls-max", "proxy-user", "connect-to", "keepalive-time", "stderr", "trace", "trace-ascii"),
}
LEFT_OUT = {
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
NO_ADDRESS = gettext_lazy("The command names no URL. It needs one, like https://api.example.com/orders.")
ENDS_OF_A_COMMAND = {"|", "||", "&", "&&", ";", ">", ">>", "<", "2>", "2>&1"}
# $'…' of bash, in which browsers write what holds quotes or line breaks; within other quotes it is text.
ANSI_C_QUOTED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.|\$'((?:[^'\\]|\\.)*)'""", re.DOTALL)
ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|(.))", re.DOTALL)
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


class InvalidCommand(Exception):
    """A command that makes no recipe; its text is the sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class ImportedCall:
    """A recipe, and sentences about what of the command is not in it."""

    recipe: Recipe
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Parts:
    """What the options of a command say, put into fewer words."""

    method: str = ""
    url: str = ""
    headers: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    data_is_query: bool = False
    follows_redirects: bool = False
    left_out: list[str] = field(default_factory=list)


def read(command: str) -> ImportedCall:
    """Make a recipe of a pasted curl command.

    Raises `InvalidCommand` with a sentence for what is no curl command, would read a file, or
    holds an option that is not known.
    """
    parts = _Parts()
    for name, value in _options(_tokens(command)):
        _take(parts, name, value)
    # curl would take `-- -a` for an address. No server has a name that begins so.
    if not parts.url or parts.url.startswith("-"):
        raise InvalidCommand(str(NO_ADDRESS))
    method = _method(parts)
    try:
        split = urlsplit(parts.url if "://" in parts.url else f"https://{parts.url}")
    except ValueError:
        raise InvalidCommand(str(NO_ADDRESS)) from None
    body = "&".join(parts.data)
    queries = [split.query, *([body] if parts.data_is_query else [])]
    recipe = Recipe(
        method=method,
        url=urlunsplit((split.scheme, split.netloc, split.path, "", "")),
        parameters=tuple(
            RecipeField(name, value) for query in queries for name, value in parse_qsl(query, keep_blank_values=True)
        ),
        headers=tuple(_headers(parts.headers)),
        body="" if parts.data_is_query else body,
        follows_redirects=parts.follows_redirects,
    )
    return ImportedCall(recipe, tuple(_notes(parts, command)))


def write(recipe: Recipe) -> str:
    """Print a recipe as a curl command for a POSIX shell; secrets are shell variables, and placeholders stay."""
    variables = _Variables()
    url: list[str | _Variable] = [recipe.url]
    for number, each in enumerate(recipe.parameters):
        joint = "?" if number == 0 and "?" not in recipe.url else "&"
        url.append(f"{joint}{_encoded(each.name)}=")
        url.append(variables.named(each.name) if each.is_hidden else _encoded(each.value))
    lines = [f"curl -X {recipe.method} {_word(url)}"]
    # Without it curl takes braces and brackets for patterns of several addresses.
    if set("{}[]") & set(lines[0]):
        lines.append("--globoff")
    if recipe.follows_redirects:
        lines.append("--location")
    for header in recipe.headers:
        value = variables.named(header.name) if header.is_hidden else header.value
        # After a colon with nothing behind it curl leaves the header out.
        lines.append(f"-H {_word([f'{header.name}: ', value] if header.value else [f'{header.name};'])}")
    if recipe.sends_body:
        # As it is sent here: without it curl says that a body is a form.
        if "content-type" not in (header.name.lower() for header in recipe.headers):
            lines.append("-H 'Content-Type: application/json'")
        lines.append(f"--data-raw {_word([variables.named('body') if recipe.body_is_secret else recipe.body])}")
    return " \\\n  ".join(lines)


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str


class _Variables:
    """Names for shell variables, each given out once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def named(self, text: str) -> _Variable:
        plain = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").upper()
        plain = plain if plain and not plain[0].isdigit() else f"SECRET_{plain}".rstrip("_")
        name = next(name for name in self._numbered(plain) if name not in self._given)
        self._given.add(name)
        return _Variable(name)

    @staticmethod
    def _numbered(name: str) -> Iterator[str]:
        yield name
        yield from (f"{name}_{number}" for number in count(2))


def _word(pieces: Sequence[str | _Variable]) -> str:
    """One word of a shell: texts quoted, and variables in double quotes so that they stay in one piece."""
    text, words = "", []
    for piece in pieces:
        if isinstance(piece, _Variable):
            words += [shlex.quote(text)] if text else []
            words.append(f'"${piece.name}"')
            text = ""
        else:
            text += piece
    return "".join([*words, shlex.quote(text)] if text or not words else words)


def _encoded(text: str) -> str:
    return quote(text, safe="{}")


def _tokens(command: str) -> list[str]:
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
        # Browsers write what lies beyond 16 bits in two halves, as UTF-16 does.
        return ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16")
    except (ValueError, OverflowError):
        raise InvalidCommand(_("The command holds a character that does not exist. Paste it anew.")) from None


def _options(tokens: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each option, up to where another command begins, by its long name with its value or an empty text.

    An address is the option `url`.
    """
    rest = iter(tokens)
    for word in rest:
        if word in ENDS_OF_A_COMMAND:
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
    """`-sXPOST` is `-s` and `-X POST`: the first that takes a value takes what is left of the word."""
    for place, letter in enumerate(letters, start=1):
        name = SHORT.get(letter, f"-{letter}")
        if _takes_value(name):
            yield name, letters[place:] or _value(name, rest)
            return
        yield name, ""


def _takes_value(name: str) -> bool:
    """Tell whether an option has a value; one that is not known stops the reading, with a sentence."""
    if name in TAKEN_WITH_VALUE or name in LEFT_OUT_WITH_VALUE:
        return True
    if name in TAKEN or name in LEFT_OUT or name in REFUSED:
        return False
    raise InvalidCommand(
        _("The option %(option)s is not known here. Take it out of the command and try again.")
        % {"option": _spelled(name)}
    )


def _value(name: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise InvalidCommand(
            _("The option %(option)s has no value. Paste the whole command.") % {"option": _spelled(name)}
        )
    return value


def _spelled(name: str) -> str:
    return name if name.startswith("-") else f"--{name}"


def _take(parts: _Parts, name: str, value: str) -> None:
    """Put an option into the parts, or among what is left out."""
    if refusal := REFUSED.get(name):
        raise InvalidCommand(str(refusal))
    if name in DATA:
        parts.data.append(_data(name, value))
        if name == "json":
            parts.headers += ["Content-Type: application/json", "Accept: application/json"]
    elif name == "url":
        if parts.url:
            raise InvalidCommand(_("The command names two URLs. Paste one call at a time."))
        parts.url = value
    elif name == "request":
        parts.method = value.upper()
    elif name == "get":
        parts.data_is_query = True
    elif name == "location":
        parts.follows_redirects = True
    elif name in TAKEN_WITH_VALUE:
        parts.headers.append(_header(name, value))
    elif name != "globoff":
        parts.left_out.append(name)


def _data(name: str, value: str) -> str:
    if (name != "data-raw" and value.startswith("@")) or (name == "data-urlencode" and "@" in value.partition("=")[0]):
        raise InvalidCommand(
            _("The body is to come from a file. Files are not read: paste the body itself in its place.")
        )
    if name != "data-urlencode":
        return value
    key, has_key, text = value.rpartition("=") if value.startswith("=") else value.partition("=")
    return f"{key}={quote_plus(text)}" if has_key and key else quote_plus(text or key)


def _header(name: str, value: str) -> str:
    if (name == "cookie" and "=" not in value) or (name == "header" and value.startswith("@")):
        raise InvalidCommand(
            _("Headers are to come from a file. Files are not read: paste the header itself in its place.")
        )
    if name == "user":
        return f"Authorization: Basic {base64.b64encode(value.encode()).decode()}"
    if name == "oauth2-bearer":
        return f"Authorization: Bearer {value}"
    return value if name == "header" else f"{name.title()}: {value}"


def _method(parts: _Parts) -> str:
    method = parts.method or ("POST" if parts.data and not parts.data_is_query else "GET")
    if method not in METHODS:
        raise InvalidCommand(
            _("The method %(method)s is not offered. It is one of %(methods)s.")
            % {"method": method[:20], "methods": ", ".join(METHODS)}
        )
    return method


def _headers(texts: list[str]) -> Iterator[RecipeField]:
    for text in texts:
        # "Name;" is how curl sends a header without a value, and "Name:" how it leaves out one of its own.
        name, colon, value = text.partition(":")
        if colon and value.strip():
            yield RecipeField(name.strip(), value.strip())
        elif not colon and text.endswith(";"):
            yield RecipeField(text[:-1].strip(), "")


def _notes(parts: _Parts, command: str) -> Iterator[str]:
    if "insecure" in parts.left_out:
        yield _("--insecure is left out: certificates are always checked.")
    others = list(dict.fromkeys(_spelled(name) for name in parts.left_out if name != "insecure"))
    if others:
        yield _("Left out, because calls here don't support them: %(options)s.") % {"options": ", ".join(others)}
    variables = list(dict.fromkeys(f"${name}" for name in VARIABLE.findall(command)))
    if variables:
        yield _("Replace these shell variables by values: %(names)s.") % {"names": ", ".join(variables)}
