"""Bounds on what guessing may cost: after so many unknown tokens from an address, its next ones are not looked up.

An unknown token costs two reads, and whoever makes them up needs no account. They are
counted by address in the memory of each process, where an IPv6 /64 counts as one address;
the window is a minute, the same for all addresses. Revoked tokens do not count: whoever
still bears one is told so, however often it comes.

Behind one address there may be many. So a token that this process has found good before is
looked up all the same: being remembered lets it be asked about, and vouches for nothing.
Any other good token waits for the next window, which is where `Retry-After` points.
"""

import math
import time
from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

WINDOW = 60.0
MOST_ADDRESSES = 50_000
MOST_TOKENS = 50_000


class TooMany(Exception):
    """An address has sent too many unknown tokens. In `wait` seconds it may send more."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


class Guesses:
    """Counts unknown tokens by address, and remembers the digests of good ones. Memory is bounded by forgetting."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._began_at = -WINDOW
        self._counts: Counter[str] = Counter()
        self._good: dict[bytes, None] = {}

    def refuse(self, ip: str | None, digest: bytes, limit: int) -> None:
        """Raise `TooMany` where a token from this address is not to be looked up. A limit of 0 refuses nothing."""
        if not limit or not self._counts or digest in self._good or ip is None:
            return
        wait = math.ceil(WINDOW - (time.monotonic() - self._began_at))
        if wait > 0 and self._counts[_neighbourhood(ip)] >= limit:
            raise TooMany(wait)

    def add(self, ip: str | None) -> None:
        """Count an unknown token. Where no address is known (a unix socket), nobody is to pay for others."""
        if ip is None:
            return
        with self._lock:
            now = time.monotonic()
            if now - self._began_at >= WINDOW or len(self._counts) >= MOST_ADDRESSES:
                self._counts.clear()
                self._began_at = now
            self._counts[_neighbourhood(ip)] += 1

    def remember(self, digest: bytes) -> None:
        """Note that a token is good, at the price of the one noted first."""
        if digest in self._good:
            return
        with self._lock:
            while len(self._good) >= MOST_TOKENS:
                del self._good[next(iter(self._good))]
            self._good[digest] = None

    def forget(self, digest: bytes) -> None:
        """Note that a token is good no longer."""
        with self._lock:
            self._good.pop(digest, None)


def _neighbourhood(ip: str) -> str:
    address = ip_address(ip)
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else ip


guesses = Guesses()
