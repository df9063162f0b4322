"""Names the programs and addresses that use tokens, and bounds how many of them are kept apart.

A program is the product name of its User-Agent, without its version. Any client can claim any name.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from functools import lru_cache
from ipaddress import ip_network
from typing import NamedTuple

from django.utils.translation import gettext as _

from accounts.text import normalize
from accounts.web.clients import USER_AGENT_LENGTH, canonical_ip

NAME_LENGTH = 40
# Of what an owner calls a program.
LABEL_LENGTH = 40
# That of the longest network of IPv6.
ADDRESS_LENGTH = 43
# The rest beyond the bounds. No program has this name, for a name has a letter.
OTHERS = "*"
# A program without a name; an address that the server does not know.
UNNAMED = ""
BROWSER = "Web browser"

# Of one owner on one day, without the rest.
MOST_PROGRAMS = 50
MOST_ADDRESSES = 20
# Of these, places for what is known from earlier days. The rest are for what is new.
HELD_PROGRAMS = 40
HELD_ADDRESSES = 10
# Bounds what many revokes in one day add.
MOST_ROWS = 2_000
MOST_ROWS_OF_OTHERS = 100
# Beyond those.
MOST_ROWS_OF_KNOWN = 400

# What every browser's User-Agent names, and programs that only begin like a browser do not.
_ENGINES = ("Gecko", "AppleWebKit", "Trident", "MSIE", "Presto")
_NO_BROWSERS = re.compile(r"\(compatible; (?!MSIE)([^;)]+)")
_PRODUCT = re.compile(r"([^\s/()]+)/\S+")
_COMMENT = re.compile(r"[(;,].*", re.DOTALL)
_VERSION = re.compile(r"v?\d+(\.\d+)*([-+.].*)?", re.IGNORECASE)
_VERSION_AT_THE_END = re.compile(r"[-_.]v?\d+(\.\d+)+$", re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://|www\.", re.IGNORECASE)
_MARKS = " .-_+&!'~#"


class UseKey(NamedTuple):
    program: str
    address: str
    generation: int
    is_refused: bool


# Programs, each with its known addresses.
Known = Mapping[str, Set[str]]


class SeenUses:
    """The uses of one owner on one day, within the bounds. What is known already has places of its own."""

    def __init__(self, keys: Iterable[UseKey] = (), known: Known | None = None) -> None:
        self.keys = set(keys)
        self.known = known or {}
        self._addresses: defaultdict[str, set[str]] = defaultdict(set)
        for key in self.keys:
            self._addresses[key.program].add(key.address)

    def add(self, key: UseKey) -> UseKey | None:
        """Return the use as which to count this one: itself, one of the rest, or None beyond all bounds."""
        if key in self.keys:
            return key
        program = _within(key.program, self._addresses.keys(), self.known.keys(), MOST_PROGRAMS)
        known = self.known.get(program, frozenset())
        address = _within(key.address, self._addresses.get(program, frozenset()), known, MOST_ADDRESSES)
        found = key._replace(program=program, address=address)
        if found not in self.keys and len(self.keys) >= self._most_rows(is_known=address in known):
            found = key._replace(program=OTHERS, address=OTHERS)
            if found not in self.keys and len(self.keys) >= MOST_ROWS + MOST_ROWS_OF_OTHERS:
                return None
        self.keys.add(found)
        self._addresses[found.program].add(found.address)
        return found

    @staticmethod
    def _most_rows(*, is_known: bool) -> int:
        return MOST_ROWS + MOST_ROWS_OF_OTHERS + MOST_ROWS_OF_KNOWN if is_known else MOST_ROWS


def _within(name: str, seen: Set[str], known: Set[str], most: int) -> str:
    """Return a name, or that of the rest if it is new and only places for known names are left."""
    if name in seen:
        return name
    names = seen - {OTHERS}
    return name if len(names if name in known else names | known) < most else OTHERS


@lru_cache(maxsize=1024)
def program_of(user_agent: str) -> str:
    """Return the product name in a User-Agent, `BROWSER`, or `UNNAMED` if it has none."""
    agent = _decoded(user_agent[:USER_AGENT_LENGTH]).strip()
    if agent.startswith(("Mozilla/", "Opera/")):
        named = _NO_BROWSERS.search(agent)
        if not named:
            products = [product for product in _PRODUCT.findall(agent) if product not in ("Mozilla", "Opera")]
            if not products or any(engine in agent for engine in _ENGINES):
                return BROWSER
            return _cleaned(products[-1])
        agent = named[1]
    return UNNAMED if _URL.match(agent) else _cleaned(_product(agent))


def network_of(remote_address: str) -> str:
    """Return an address as it is kept: IPv4 whole, the /64 of IPv6, "" where the server knows none."""
    ip = canonical_ip(remote_address) or ""
    return str(ip_network((ip, 64), strict=False)) if ":" in ip else ip


def program_name(program: str) -> str:
    """Return the name of a kept program for people."""
    return {UNNAMED: _("Unnamed program"), OTHERS: _("Other programs"), BROWSER: _("Web browser")}.get(program, program)


def address_name(address: str) -> str:
    """Return a kept address for people."""
    return {UNNAMED: _("Unknown address"), OTHERS: _("Other addresses")}.get(address, address)


def _decoded(user_agent: str) -> str:
    """Undo the server's decoding as Latin-1, if the program sent UTF-8."""
    try:
        return user_agent.encode("latin-1").decode()
    except UnicodeError:
        return user_agent


def _product(agent: str) -> str:
    """Return the words before the first version (RFC 9110, section 10.1.5, but names may have blanks)."""
    words = list[str]()
    for word in _COMMENT.sub("", agent).split():
        if words and _VERSION.fullmatch(word):
            break
        name, slash, _version = word.partition("/")
        words.append(name)
        if slash:
            break
    # Libraries for Python name the language first.
    library = re.match(r"Python/\S+ ([^\s/]+)/", agent)
    return library[1] if library else " ".join(words)


def _cleaned(name: str) -> str:
    """Return a name that is safe to show anywhere: a few words of letters and digits."""
    text = normalize(name)
    end = next((place for place, each in enumerate(text) if not (each.isalnum() or each in _MARKS)), len(text))
    text = _VERSION_AT_THE_END.sub("", " ".join(text[:end].split())).strip(_MARKS)
    if not any(each.isalpha() for each in text):
        return UNNAMED
    return text if len(text) <= NAME_LENGTH else f"{text[: NAME_LENGTH - 1].rstrip()}…"
