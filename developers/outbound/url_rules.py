"""The rules for the URLs of outbound calls.

Refuses, before any look-up, each URL that two parsers might read differently. The check of addresses does not
rely on these rules: it checks the address of the connection itself.
"""

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

import httpx
from django.conf import settings

from accounts.web import formats
from developers.outbound.recipe import PLACEHOLDER, RecipeField, attributes_in_path_only, before_path, parameters_of
from developers.outbound.sentences import gettext as _
from developers.outbound.sentences import ngettext
from developers.outbound.transport.addresses import no_public_server

LONGEST_URL = 8_000
PARTS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?://(?P<authority>[^/?#]*))?(?P<rest>.*)", re.DOTALL)
NAMED = re.compile(r"(?P<host>[^:\[\]]*)(?::(?P<port>[^:]*))?")
NUMBERED = re.compile(r"\[(?P<host>[0-9A-Fa-f:.]*)\](?::(?P<port>[^:]*))?")
LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
# The URL standard reads a host that ends with such a number (decimal, octal or hexadecimal) as an IPv4 address.
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
LONGEST_HOST = 253
# Line breaks, blanks, invisible characters, and characters that change the direction of text.
INVISIBLE = re.compile(r"[\s\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff]")
# RFC 6761, 6762, 7686, 8375, and the names of clouds' metadata servers: never on the public internet.
PRIVATE_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion", "invalid")
PRIVATE_ALIASES = ("ip6-localhost", "ip6-loopback", "metadata", "instance-data", "broadcasthost")
# The "bad ports" of the Fetch standard, where a request could be read as another protocol.
BAD_PORTS = frozenset(
    {
        *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104),
        *(109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515),
        *(526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049),
        *(3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    }
)


class BadUrl(Exception):
    """A URL that must not be called. The text is a sentence for the user."""


def read(text: str) -> httpx.URL:
    """Parse a URL without placeholders. Raises `BadUrl`."""
    if len(text) > LONGEST_URL:
        sentence = ngettext(
            "The URL is longer than %(most)s character.", "The URL is longer than %(most)s characters.", LONGEST_URL
        )
        raise BadUrl(sentence % {"most": formats.number(LONGEST_URL)})
    if INVISIBLE.search(text):
        raise BadUrl(_("The URL holds a blank, a line break or an invisible character."))
    if "\\" in text:
        raise BadUrl(_("The URL holds a backslash. Use / instead."))
    parts = PARTS.fullmatch(text)
    if parts is None:
        raise BadUrl(_("The URL must start with https:// or http:// and the name of a server."))
    if parts["scheme"].lower() not in ("http", "https"):
        raise BadUrl(_("Only https:// and http:// can be called."))
    if not parts["authority"]:
        raise BadUrl(_("The URL names no server. Write it as https://api.example.com/path."))
    _check_authority(parts["authority"])
    if "#" in parts["rest"]:
        raise BadUrl(_("Leave out # and what follows it: no server gets to see that."))
    return httpx.URL(text)


def problem(text: str) -> str | None:
    """Return a sentence about what is wrong with an API's URL, or None.

    Placeholders are allowed in the path, and no query.
    """
    if PLACEHOLDER.search(before_path(text)):
        return attributes_in_path_only()
    if "?" in text.removesuffix("?"):
        return _("Put what follows ? into Parameters.")
    try:
        read(PLACEHOLDER.sub("x", text))
    except (BadUrl, httpx.InvalidURL) as error:
        return str(error)
    return None


def origin(text: str) -> tuple[str, bytes, int | None] | None:
    """Return scheme, server and port (None: the default) of an API's URL; None if `problem` finds one."""
    url = split(text)[0]
    if problem(url):
        return None
    read_url = read(PLACEHOLDER.sub("x", url))
    return read_url.scheme, read_url.raw_host, read_url.port


def split(text: str) -> tuple[str, tuple[RecipeField, ...]]:
    """Split a URL into the part before its query, and the query's parameters."""
    url, mark, query = text.partition("?")
    return url if query else url + mark, parameters_of(query)


def target(text: str) -> bytes:
    """Return the target of a request to a URL that `read` takes, as curl writes it.

    The path has no dot segments (RFC 3986, section 5.2.4), letters beyond ASCII are percent-encoded, and the rest is
    as typed.
    """
    path, mark, query = PARTS.fullmatch(text)["rest"].partition("?")  # type: ignore[index]  # read() has matched it
    segments: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    ending = [""] if path.endswith(("/.", "/..")) else []
    return f"/{_ascii('/'.join([*segments, *ending]))}{mark}{_ascii(query)}".encode()


def _ascii(text: str) -> str:
    return re.sub(r"[^\x00-\x7f]+", lambda match: quote(match[0]), text)


def _check_authority(authority: str) -> None:
    if "@" in authority:
        raise BadUrl(_("Put no user name or password into the URL. Send them in a header, such as Authorization."))
    if "%" in authority:
        raise BadUrl(_("The name of the server holds a %. Write it without escapes or zones."))
    match = (NUMBERED if authority.startswith("[") else NAMED).fullmatch(authority)
    if match is None:
        raise BadUrl(_("The name of the server cannot be read. An IPv6 address stands in square brackets."))
    if not match["host"]:
        raise BadUrl(_("The URL names no server. Write it as https://api.example.com/path."))
    if authority.startswith("["):
        _check_ipv6(match["host"])
    else:
        _check_name(match["host"])
    if match["port"] is not None:
        _check_port(match["port"])


def _check_port(text: str) -> None:
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text, re.ASCII) or int(text) > 65535:  # noqa: PLR2004 - the largest port
        raise BadUrl(_("The port must be a number from 1 to 65535."))
    if int(text) in BAD_PORTS:
        raise BadUrl(_("Port %(port)s belongs to another protocol than HTTP.") % {"port": text})


def _check_ipv6(text: str) -> None:
    try:
        IPv6Address(text)
    except ValueError:
        raise BadUrl(_("What stands in square brackets is no IPv6 address.")) from None


def _check_name(text: str) -> None:
    try:
        url = httpx.URL(scheme="https", host=text)
        # Both forms: a name that begins with xn-- may decode to nothing.
        host, _readable = url.raw_host.decode(), url.host
    except (httpx.InvalidURL, UnicodeError):
        raise BadUrl(_("The name of the server holds characters that no name has.")) from None
    if host.endswith("."):
        raise BadUrl(_("Write the name of the server without the dot at its end."))
    labels = host.split(".")
    if NUMBER.fullmatch(labels[-1]):
        try:
            usual = str(IPv4Address(text)) == text
        except ValueError:
            usual = False
        if not usual:
            raise BadUrl(_("Write the address of the server in its usual notation, such as 198.51.100.7."))
        return
    if len(host) > LONGEST_HOST or not all(LABEL.fullmatch(label) for label in labels):
        raise BadUrl(_("The name of the server holds characters that no name has."))
    # An installation that opens private networks may use such names.
    if not settings.OUTBOUND_ALLOWED_NETWORKS and _is_private(host):
        raise BadUrl(no_public_server())


def _is_private(host: str) -> bool:
    return host in PRIVATE_ALIASES or f".{host}".endswith(tuple(f".{name}" for name in PRIVATE_NAMES))
