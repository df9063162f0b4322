"""Reports of GitHub's secret scanning partner programme: their signature, and what is done about them.

Follows https://docs.github.com/code-security/secret-scanning/secret-scanning-partner-program. GitHub signs the bytes of
the body with ECDSA on P-256 and SHA-256.
"""

import logging
import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables

from accounts.web.clients import Client
from developers.bearer.exposure import revoke_found, tokens_in
from developers.redaction import without_secrets
from developers.scanning.public_keys import NoKeys, key_of

__all__ = ["NoKeys", "is_signed", "report"]

logger = logging.getLogger(__name__)

# GitHub's documentation names the first of each; requests of its newer programmes have the second.
KEY_HEADERS = ("Github-Public-Key-Identifier", "X-Github-Public-Key-Identifier")
SIGNATURE_HEADERS = ("Github-Public-Key-Signature", "X-Github-Public-Key-Signature")
KEY_NAME = re.compile(r"[\w.-]{1,128}", re.ASCII)
# 72 bytes of DER at most.
SIGNATURE = re.compile(r"(?:[0-9A-Za-z+/]{4}){2,23}(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=|[0-9A-Za-z+/]{4})")
SOURCE = re.compile(r"[a-z_]{1,40}")
# The printable characters of ASCII that `quote` would replace otherwise. A blank is none: a URL must be one word.
PRINTABLE = "!#$%&'()*+,/:;=?@[]"
# The repository is at the beginning of a URL, and the file at its end.
BEGINNING, END = 120, 80
LONGEST_TYPE = 100


class ScannerMatch(NamedTuple):
    """One match of GitHub's scan. `url` and `source` say where; either may be empty."""

    token: str
    type: str = ""
    url: str = ""
    source: str = ""

    @property
    def place(self) -> str:
        """Where the token was found, as one line of printable text without a secret: others chose parts of it."""
        source = self.source.replace("_", " ") if SOURCE.fullmatch(self.source) else ""
        url = without_secrets(quote(self.url, PRINTABLE, errors="replace"))
        shortened = f"{url[:BEGINNING]}…{url[-END:]}" if len(url) > BEGINNING + END else url
        return ": ".join(filter(None, [", ".join(filter(None, ["GitHub", source])), shortened]))


def is_signed(headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether GitHub has signed a body. Reads nothing of it. Raises `NoKeys` if that cannot be said now."""
    name, signature = _first(headers, KEY_HEADERS), _first(headers, SIGNATURE_HEADERS)
    if not KEY_NAME.fullmatch(name) or not SIGNATURE.fullmatch(signature):
        return False
    key = key_of(name)
    if key is None:
        return False
    try:
        key.verify(b64decode(signature), body, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


@sensitive_variables("rows", "read", "matches", "match", "found", "texts", "text", "places", "known")
def report(rows: Iterable[Any], client: Client) -> list[dict[str, str]]:
    """Revoke the live tokens of a signed report, and return GitHub's feedback: whether each match was a token.

    Each owner is mailed where it was found. A token that is revoked already was a token, and nothing else happens.
    Rows that are no match are counted in the log: one of them must not keep the tokens of the others alive.
    """
    read = [_match(row) for row in rows]
    matches = [match for match in read if match]
    if len(matches) < len(read):
        logger.warning("%s rows of a report of GitHub have no text named token.", len(read) - len(matches))
    found = [tokens_in([match.token]) for match in matches]
    places: dict[str, list[str]] = {}
    for match, texts in zip(matches, found, strict=True):
        for text in texts:
            places.setdefault(text, []).append(match.place)
    known = revoke_found({text: _joined(at) for text, at in places.items()}, client)
    return [_feedback(match, is_token=not known.isdisjoint(texts)) for match, texts in zip(matches, found, strict=True)]


def _first(headers: Mapping[str, str], names: Iterable[str]) -> str:
    return next((headers[name] for name in names if name in headers), "")


@sensitive_variables("row", "token")
def _match(row: Any) -> ScannerMatch | None:
    match row:
        case {"token": str(token)}:
            texts = {name: row.get(name) for name in ("type", "url", "source")}
            return ScannerMatch(token, **{name: text for name, text in texts.items() if isinstance(text, str)})
    return None


def _joined(places: list[str]) -> str:
    first, *others = dict.fromkeys(places)
    if not others:
        return first
    more = ngettext("and %(number)d more place", "and %(number)d more places", len(others))
    return f"{first} {more % {'number': len(others)}}"


@sensitive_variables("match")
def _feedback(match: ScannerMatch, *, is_token: bool) -> dict[str, str]:
    return {
        # So that no answer holds a token.
        "token_hash": sha256(match.token.encode(errors="replace")).hexdigest(),
        # JSON in UTF-8 has no half of a pair.
        "token_type": match.type[:LONGEST_TYPE].encode(errors="replace").decode(),
        "label": "true_positive" if is_token else "false_positive",
    }
