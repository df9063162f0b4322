"""Bounds the cost of unknown tokens: after too many from one address, its tokens are no longer looked up.

An unknown token costs two reads, and sending one needs no account. Each process counts them in memory by
address, with an IPv6 /64 as one address, in windows of one minute that are the same for all addresses.
Revoked tokens do not count: every call with one is answered with that reason.

Many clients may share one address. So a token that this process has accepted before is still looked up,
and the look-up alone decides. Any other valid token waits for the next window: `Retry-After` says how long.
"""

import math
import time
from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

WINDOW = 60.0
MOST_ADDRESSES = 50_000
MOST_TOKENS = 50_000


class TooManyUnknownTokens(Exception):
    """An address has sent too many unknown tokens. `wait`: seconds until it may send more."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


class UnknownTokens:
    """Counts unknown tokens by address, and remembers the digests of accepted ones. Memory is bounded."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._began_at = -WINDOW
        self._counts: Counter[str] = Counter()
        self._good: dict[bytes, None] = {}

    def check(self, ip: str | None, digest: bytes, limit: int) -> None:
        """Raise `TooManyUnknownTokens` if a token from this address must not be looked up. 0 means no limit."""
        if not limit or not self._counts or digest in self._good or ip is None:
            return
        wait = math.ceil(WINDOW - (time.monotonic() - self._began_at))
        if wait > 0 and self._counts[_network_of(ip)] >= limit:
            raise TooManyUnknownTokens(wait)

    def add(self, ip: str | None) -> None:
        """Count an unknown token. Ignores clients without an address (a Unix socket): all would share one count."""
        if ip is None:
            return
        with self._lock:
            now = time.monotonic()
            if now - self._began_at >= WINDOW or len(self._counts) >= MOST_ADDRESSES:
                self._counts.clear()
                self._began_at = now
            self._counts[_network_of(ip)] += 1

    def remember_good(self, digest: bytes) -> None:
        """Remember an accepted token; drop the oldest one if there are too many."""
        if digest in self._good:
            return
        with self._lock:
            while len(self._good) >= MOST_TOKENS:
                del self._good[next(iter(self._good))]
            self._good[digest] = None

    def forget_good(self, digest: bytes) -> None:
        """Forget a token that is no longer accepted."""
        with self._lock:
            self._good.pop(digest, None)


def _network_of(ip: str) -> str:
    address = ip_address(ip)
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else ip


unknown_tokens = UnknownTokens()
