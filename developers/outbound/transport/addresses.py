"""The addresses that outbound calls may reach: public ones, and the networks in `OUTBOUND_ALLOWED_NETWORKS`.

Each name is looked up once, and the checked address is the one that is connected to. So a name server cannot
give one address to the check and another one to the connection (DNS rebinding). Addresses are compared as
numbers, so their notation does not matter.

Follows the IANA registries of special-purpose addresses (RFC 6890, as updated).
"""

import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from developers.outbound.sentences import gettext as _
from developers.outbound.transport import cancelling
from developers.outbound.transport.cancelling import Cancellation

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# Has the parameters and results of `socket.getaddrinfo`.
Resolver = Callable[..., Sequence[tuple[Any, ...]]]

CLOSED_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carriers' NAT; Alibaba's metadata
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's host: a public address that every machine there can reach
            "169.254.0.0/16",  # link-local; most clouds' metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
# All others are closed, including ::, ::1, mapped and translated IPv4, link-local, site-local, unique local
# and multicast.
GLOBAL_IPV6 = IPv6Network("2000::/3")
CLOSED_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments; Teredo, which holds an IPv4 address
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which holds an IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)
# getaddrinfo has no timeout, so a look-up that does not end keeps its thread. Limits per process and per account.
MOST_LOOKUPS = 16
MOST_OF_AN_ACCOUNT = 2
# A refused look-up takes a multiple of this many seconds, so that its timing does not reveal what the name server knew.
STEP = 0.5


class UnreachableHost(Exception):
    """A name has no address that a call may reach. The text is a sentence for the user."""


class Lookups:
    """The running look-ups of one process. An account's second one begins only if under half of the limit is used."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of: Counter[int] = Counter()

    @property
    def under_way(self) -> int:
        return self._of.total()

    def begin(self, owner_id: int) -> bool:
        """Count one more look-up of an account; return False if it is one too many."""
        with self._lock:
            own = self._of[owner_id]
            most = MOST_LOOKUPS // 2 if own else MOST_LOOKUPS
            if own >= MOST_OF_AN_ACCOUNT or self.under_way >= most:
                return False
            self._of[owner_id] += 1
            return True

    def end(self, owner_id: int) -> None:
        with self._lock:
            self._of -= Counter([owner_id])


lookups = Lookups()


def is_public(address: Address) -> bool:
    """Return whether an address is public, and embeds no other address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in CLOSED_IPV4)
    return address in GLOBAL_IPV6 and not any(address in network for network in CLOSED_IPV6)


def is_open(address: Address) -> bool:
    """Return whether a call may reach an address."""
    return is_public(address) or any(address in network for network in allowed_networks())


def allowed_networks() -> tuple[Network, ...]:
    """Return the networks in `OUTBOUND_ALLOWED_NETWORKS`. Raises `ImproperlyConfigured` if one is invalid."""
    return _networks(tuple(settings.OUTBOUND_ALLOWED_NETWORKS))


def resolve(  # noqa: PLR0913 - what limits a look-up
    host: str,
    port: int,
    *,
    seconds: float,
    owner_id: int,
    resolver: Resolver = socket.getaddrinfo,
    cancellation: Cancellation | None = None,
) -> list[Address]:
    """Look up a host once, for an account, and return its addresses. Calls may reach all of them.

    Raises `UnreachableHost` if there are none, if a call must not reach one of them, or after `seconds`. The
    exception and its timing are the same in all these cases, so that they reveal no name of this network. Raises
    `Cancelled` if the call was cancelled.
    """
    try:
        found = [ip_address(host)]
    except ValueError:
        began_at = time.monotonic()
        found = _first(_look_up(host, port, owner_id, resolver), seconds, cancellation)
        if not _are_open(found):
            passed = time.monotonic() - began_at
            time.sleep(max(min(-passed % STEP, seconds - passed), 0))
    if not _are_open(found):
        raise UnreachableHost(no_public_server())
    return found


def no_public_server() -> str:
    return _(
        "There is no public server at this address. Check the URL for typing errors, or try again later. "
        "Private and reserved addresses cannot be called, unless this server's operator has opened them."
    )


def _are_open(found: list[Address]) -> bool:
    return bool(found) and all(is_open(address) for address in found)


def _look_up(host: str, port: int, owner_id: int, resolver: Resolver) -> SimpleQueue[list[Address]]:
    """Begin to look up a host in a thread, and return the queue that gets its addresses."""
    results: SimpleQueue[list[Address]] = SimpleQueue()
    if not lookups.begin(owner_id):
        results.put([])
        return results

    def look_up() -> None:
        try:
            rows = resolver(host, port, type=socket.SOCK_STREAM)
            # An IPv6 address with a zone keeps it for the check: it is link-local.
            results.put(list(dict.fromkeys(ip_address(row[4][0]) for row in rows)))
        except (OSError, UnicodeError, ValueError):
            results.put([])
        finally:
            lookups.end(owner_id)

    Thread(target=look_up, name="outbound look-up", daemon=True).start()
    return results


def _first(results: SimpleQueue[list[Address]], seconds: float, cancellation: Cancellation | None) -> list[Address]:
    """Return the first result within so many seconds, or nothing."""
    ends_at = time.monotonic() + seconds
    while (left := ends_at - time.monotonic()) > 0:
        if cancellation:
            cancellation.check()
        with suppress(Empty):
            return results.get(timeout=min(left, cancelling.SECONDS_BETWEEN_LOOKS) if cancellation else left)
    return []


@cache
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(_network(text) for text in texts)


def _network(text: str) -> Network:
    try:
        return ip_network(text.strip())
    except ValueError:
        raise ImproperlyConfigured(
            f"OUTBOUND_ALLOWED_NETWORKS holds {text!r}, which is neither an address nor a network such as 10.0.0.0/8."
        ) from None
