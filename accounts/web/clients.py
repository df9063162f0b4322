"""The client of a request: its address and the name of its program."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import ua_parser
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

FORWARDED_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")
USER_AGENT_LENGTH = 200
# Of the place at which a scanner found a token.
PLACE_LENGTH = 300
# An entry of X-Forwarded-For. Some proxies add the client's port, and then put IPv6 in brackets.
HOP = re.compile(r"(?:\[([^\[\]]+)\]|([0-9.]+))(?::[0-9]{1,5})?|([^\[\]]+)")
LOGGED_LENGTH = 40

logger = logging.getLogger(__name__)

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Client:
    """A client as it is recorded: its address, or None where the server knows none, and its User-Agent."""

    ip: str | None
    user_agent: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Client":
        return cls.in_environ(request.META)

    @classmethod
    def in_environ(cls, environ: Mapping[str, Any]) -> "Client":
        agent = environ.get("HTTP_USER_AGENT", "")
        # PostgreSQL stores no NUL, and no other control character belongs in a header.
        printable = "".join(character for character in agent[:USER_AGENT_LENGTH] if character.isprintable())
        return cls(canonical_ip(environ.get("REMOTE_ADDR", "")), printable.strip())


def trust_proxies(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: set REMOTE_ADDR to the client's address, and drop forwarding headers from untrusted peers."""
    proxies = Proxies()

    def middleware(request: HttpRequest) -> HttpResponse:
        proxies.apply_to(request.META)
        return get_response(request)

    return middleware


class Proxies:
    """The proxies in `TRUSTED_PROXIES` (addresses or networks), whose forwarding headers are trusted.

    Reads `X-Forwarded-For` from the right, past the trusted proxies, so what a client wrote into it has no effect. An
    entry that is no address ends the reading; the first one is logged.
    """

    def __init__(self) -> None:
        self._trusted = trusted_proxies()
        self._logged: list[str] = []

    def apply_to(self, environ: dict[str, Any]) -> None:
        """Set REMOTE_ADDR to the client's address, and drop forwarding headers from untrusted peers."""
        if self._trusted and _is_within(environ.get("REMOTE_ADDR", ""), self._trusted):
            environ["REMOTE_ADDR"] = _first_untrusted(environ, self._trusted, self._logged)
        else:
            for header in FORWARDED_HEADERS:
                environ.pop(header, None)


def trusted_proxies() -> tuple[Network, ...]:
    """Return the networks in `TRUSTED_PROXIES`. Raises `ImproperlyConfigured` for anything else."""
    return tuple(_network(text) for text in settings.TRUSTED_PROXIES)


def client_ip(request: HttpRequest) -> str | None:
    """Return the client's address, or None where the server knows none (a unix socket)."""
    return canonical_ip(request.META.get("REMOTE_ADDR", ""))


@lru_cache(maxsize=1024)
def describe_user_agent(user_agent: str) -> str:
    """Name the program behind a User-Agent: "Firefox, macOS", "python-requests 2.32", "curl 8.5"."""
    if not user_agent.strip():
        return ""
    if user_agent.startswith("Mozilla/"):
        parsed = ua_parser.parse(user_agent)
        names = [part.family for part in (parsed.user_agent, parsed.os) if part]
        if names:
            return ", ".join(names).replace("Mac OS X", "macOS")
    # RFC 9110, section 10.1.5: the first product is the program itself.
    product, _, version = user_agent.split(maxsplit=1)[0].partition("/")
    return f"{product} {'.'.join(version.split('.')[:2])}".strip()


def _network(text: str) -> Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise ImproperlyConfigured(
            f"TRUSTED_PROXIES holds {text!r}, which is neither an address nor a network such as 10.0.0.0/8."
        ) from None


@lru_cache(maxsize=1024)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    # The zone of a link-local address ("%eth0") means nothing elsewhere, and PostgreSQL takes none.
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=1024)
def canonical_ip(text: str) -> str | None:
    """Return an address in its usual spelling, or None if the text is none."""
    address = _parse(text)
    return None if address is None else str(address)


def _is_within(text: str, networks: tuple[Network, ...]) -> bool:
    address = _parse(text)
    return address is not None and any(address in network for network in networks)


def _address_of(hop: str) -> IPv4Address | IPv6Address | None:
    text = hop.strip()
    quote = text[:1] if text[:1] in ("'", '"') and text[:1] == text[-1:] else ""
    entry = HOP.fullmatch(text.removeprefix(quote).removesuffix(quote))
    return _parse("".join(filter(None, entry.groups()))) if entry else None


def _first_untrusted(environ: Mapping[str, Any], trusted: tuple[Network, ...], logged: list[str]) -> str:
    nearest: str = environ["REMOTE_ADDR"]
    hops = environ.get("HTTP_X_FORWARDED_FOR", "")
    for hop in reversed(hops.split(",") if hops else []):
        address = _address_of(hop)
        if address is None:
            if not logged:
                logged.append(hop)
                # Clients write into this header too.
                shown = ascii(hop.strip()[:LOGGED_LENGTH])
                logger.warning("The proxy %s passes on %s in X-Forwarded-For, which is no address.", nearest, shown)
            break
        nearest = str(address)
        if not _is_within(nearest, trusted):
            break
    return nearest
