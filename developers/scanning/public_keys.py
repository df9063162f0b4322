"""The public keys of GitHub's secret scanning, from `GITHUB_KEYS_URL`.

All processes share the keys, and one of them fetches the keys at most once in five minutes. So nobody who sends unknown
names of keys makes this server call GitHub more often. The call follows no redirect, and has the limits of outbound
calls: `OUTBOUND_SECONDS`, 1 MiB, public addresses only.
"""

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.core.cache import cache

from accounts.throttling.counters import Limit
from developers.outbound import url_rules
from developers.outbound.recipe import Recipe
from developers.outbound.transport.sending import send
from developers.outbound.url_rules import BadUrl

logger = logging.getLogger(__name__)

CACHED = "developers.scanning.public_keys"
# In seconds. A key that GitHub has withdrawn is accepted for an hour, or for a day if GitHub does not answer.
FRESH_FOR = 3600
KEPT_FOR = 24 * 3600
FETCH = Limit("github_keys", 1, 300)
# GitHub lists a handful.
MOST_KEYS = 50
LONGEST_KEY = 1000
# Of the limits on look-ups: calls for accounts have the accounts' ids.
NO_ACCOUNT = 0
LOOPBACK = ("127.0.0.1", "::1")
OK = 200


class NoKeys(Exception):
    """The keys are unknown, and cannot be fetched now."""


class Known(NamedTuple):
    """The keys that all processes share, as PEM by name, and the time of their fetch."""

    at: float
    pems: dict[str, Any]


def is_safe(url: str) -> bool:
    """Return whether nobody on the way to a URL can exchange what it serves."""
    try:
        read = url_rules.read(url)
    except (BadUrl, httpx.InvalidURL):
        return False
    return read.scheme == "https" or read.host in LOOPBACK


def key_of(name: str) -> EllipticCurvePublicKey | None:
    """Return the key of a name, or None if GitHub has no such key. Raises `NoKeys`."""
    known = _known()
    if (known is None or name not in known.pems or _is_stale(known.at)) and FETCH.take():
        known = _fetch() or known
    if known is None:
        raise NoKeys
    return _parse(known.pems.get(name))


def _known() -> Known | None:
    """Return the shared keys, unless there are none or something else has written over them."""
    match cache.get(CACHED):
        case [int() | float() as at, dict() as pems]:
            return Known(at, pems)
    return None


def _is_stale(at: float) -> bool:
    # Also if the clock was set back.
    return not 0 <= time.time() - at < FRESH_FOR


def _fetch() -> Known | None:
    """Fetch the keys, and share them. Returns None if that fails, after logging the reason."""
    url = settings.GITHUB_KEYS_URL
    if not is_safe(url):
        logger.error("GITHUB_KEYS_URL is not https, so no keys are fetched.")
        return None
    response = send(Recipe("GET", url), owner=NO_ACCOUNT)
    pems = _listed(response.data) if response.status == OK else {}
    if not pems:
        reason = response.problem or response.unreadable or "It lists none."
        logger.warning("GITHUB_KEYS_URL gives no keys, with the status %s. %s", response.status, reason)
        return None
    known = Known(time.time(), pems)
    cache.set(CACHED, known, KEPT_FOR)
    return known


def _listed(data: Any) -> dict[str, str]:
    """Return the usable keys of GitHub's list, as PEM by name."""
    rows = data.get("public_keys") if isinstance(data, Mapping) else None
    listed = {}
    for row in rows[:MOST_KEYS] if isinstance(rows, list) else ():
        match row:
            case {"key_identifier": str(name), "key": str(pem)} if _parse(pem):
                listed[name] = pem
    return listed


def _parse(pem: Any) -> EllipticCurvePublicKey | None:
    """Return a public key on the curve P-256, or None for anything else."""
    if isinstance(pem, str) and len(pem) <= LONGEST_KEY:
        with suppress(ValueError, UnsupportedAlgorithm):
            key = load_pem_public_key(pem.encode())
            if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
                return key
    return None
