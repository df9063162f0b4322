"""Why a pasted text makes no recipe, and how a part of it is quoted."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

MOST_OF_AN_EXCERPT = 60
MOST_NAMES = 20


class InvalidCommand(Exception):
    """A pasted text that makes no recipe. The text is a sentence that says why and what to do."""


def excerpt(text: str) -> str:
    """Return the first line of a text, cut to 60 characters. Not for the values of headers and not for bodies."""
    line = text.strip().partition("\n")[0].strip()
    return line if len(line) <= MOST_OF_AN_EXCERPT else f"{line[: MOST_OF_AN_EXCERPT - 1]}…"


def listed(names: Iterable[str]) -> str:
    """Return the first names, each once and each cut like an excerpt."""
    different = list(dict.fromkeys(map(excerpt, names)))
    return ", ".join([*different[:MOST_NAMES], *(["…"] if len(different) > MOST_NAMES else [])])


def excerpt_of_url(url: str) -> str:
    """Return a URL without its query, its fragment and the password in it, cut to 60 characters."""
    place = url.partition("?")[0].partition("#")[0]
    scheme, separator, rest = place.rpartition("://")
    server, slash, path = rest.partition("/")
    return excerpt(f"{scheme}{separator}{server.rpartition('@')[2]}{slash}{path}")


def not_a_character() -> str:
    """Return a sentence about half a pair of UTF-16, or a number beyond Unicode."""
    return _("The command holds a character that does not exist. Paste it anew.")
