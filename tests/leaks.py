"""Searches texts for secrets that they must not contain."""

import base64
import html
from collections.abc import Iterable, Mapping
from urllib.parse import quote

# A secret cut short is one still: where so much of it stands in a row, that is no chance.
SIGNIFICANT = 12
# Of any so many characters in a row, so many begin at a multiple of their number.
HALF = SIGNIFICANT // 2
SHORTEST = 8


def find(texts: Iterable[str | bytes], secrets: Mapping[str, str]) -> list[str]:
    """Name the secrets that are in the texts, whole or a good part of them, as they are or in a usual encoding."""
    assert all(len(secret) >= SHORTEST for secret in secrets.values()), "too short: chance could spell it"
    everything = b"\0".join(text.encode() if isinstance(text, str) else text for text in texts)
    return [name for name, secret in secrets.items() if is_in(everything, secret)]


def is_in(everything: bytes, secret: str) -> bool:
    """Search for few short parts first, since each significant part holds one of them."""
    return any(part in everything for part in parts_of(secret, HALF, HALF)) and any(
        part in everything for part in parts_of(secret, SIGNIFICANT, 1)
    )


def parts_of(secret: str, length: int, step: int) -> set[bytes]:
    """Return the parts of a secret that begin at every `step`th character, in each usual encoding."""
    body = secret.removeprefix("bpat_")
    windows = [body[at : at + length] for at in range(0, max(1, len(body) - length + 1), step)]
    # Cut first, then spelled: the quotation marks of a spelling count for nothing.
    parts = {spelled for part in windows for spelled in (part, html.escape(part), quote(part), escaped(part))}
    # Of base64 only the middle is the same wherever in a text it begins.
    encoded = {base64.b64encode(b"\0" * shift + secret.encode())[4:-4] for shift in range(3)}
    return {part.encode() for part in parts} | {part for part in encoded if len(part) >= SIGNIFICANT}


def escaped(text: str) -> str:
    return text.encode("unicode_escape").decode()
