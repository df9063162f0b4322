"""Reads URLs with passwords, and refuses characters that mean something else there (RFC 3986). Shows none of them."""

import os
import re
from collections.abc import Callable, Container
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

import environ
import idna

from botpenguin.configuration import ImproperlyConfigured

# `%` without the two digits of an escape, and control characters, which Python would drop.
NEVER_RAW = re.compile(r"%(?![0-9A-Fa-f]{2})|[\0-\x1f\x7f]|#")
ENCODE = (
    "{} contains a character that means something else in a URL. Where it is part of a user, a password or a path, "
    "percent-encode it: # as %23, @ as %40, / as %2F, ? as %3F, % as %25."
)
NO_URL = re.compile(r"[\s\0-\x1f\x7f\\]")
HOST = re.compile("[A-Za-z0-9._-]+")
DATABASES = {"postgres", "postgresql", "psql", "pgsql"}
# Reads `CA_FILE`.
SMTP = "accounts.mail.smtp.EmailBackend"
DEFAULT_PORTS = {"http": 80, "https": 443}
ONLY_HOST = "PUBLIC_URL {}. It is a scheme, a host and perhaps a port, such as https://app.example.com."


def database(url: str, name: str = "DATABASE_URL", instead: str = "neither SQLite nor PostgreSQL") -> dict[str, Any]:
    """Return Django's configuration of a database on a server. Raises `ImproperlyConfigured`."""
    url = _checked(name, url, DATABASES, instead)
    address, mark, query = url.partition("?")
    # The library would read a blank.
    return _parsed(name, environ.Env.db_url_config, f"{address.replace('+', '%2B')}{mark}{query}")


def cache(url: str) -> dict[str, Any]:
    """Return Django's configuration of a cache. Raises `ImproperlyConfigured`."""
    url = _checked("CACHE_URL", url, environ.Env.CACHE_SCHEMES, "no cache such as redis://host:6379/0")
    # The library leaves the scheme of these out.
    return _parsed("CACHE_URL", environ.Env.cache_url_config, re.sub("^valkey", "redis", url))


def email(url: str) -> dict[str, Any]:
    """Return Django's settings of a mail server. Raises `ImproperlyConfigured`."""
    url = _checked("EMAIL_URL", url, environ.Env.EMAIL_SCHEMES, "no mail server such as smtp+tls://user@host:587")
    found = _parsed("EMAIL_URL", environ.Env.email_url_config, url)
    return found | ({"EMAIL_BACKEND": SMTP} if found["EMAIL_BACKEND"].endswith(".smtp.EmailBackend") else {})


def sqlite_name(url: str) -> str:
    """Return the percent-decoded path in `sqlite:///path`. Raises `ImproperlyConfigured`."""
    authority, slash, path = url.strip().partition("://")[2].partition("/")
    if path in ("", ":memory:") or authority or not slash:
        raise ImproperlyConfigured(
            "DATABASE_URL names no file. Three slashes come before a path, which begins with a slash of its own: "
            "sqlite:////srv/db.sqlite3."
        )
    decoded = os.fsdecode(unquote_to_bytes(os.fsencode(path)))
    if NEVER_RAW.search(path) or "?" in path or "\0" in decoded:
        raise ImproperlyConfigured(ENCODE.format("DATABASE_URL"))
    return decoded


def public(url: str) -> str:
    """Return the origin of `PUBLIC_URL` as browsers write it. Raises `ImproperlyConfigured`."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, _host(parts.hostname or "", is_bracketed="[" in parts.netloc)
    except ValueError:
        raise ImproperlyConfigured(ONLY_HOST.format("is no address")) from None
    wrong = {
        "is no address": parts.scheme not in DEFAULT_PORTS or not host or NO_URL.search(url),
        "contains a user or a password": "@" in parts.netloc,
        "contains a query or a fragment": "?" in url or "#" in url,
        "contains a path": parts.path.strip("/"),
    }
    for problem in filter(wrong.get, wrong):
        raise ImproperlyConfigured(ONLY_HOST.format(problem))
    return f"{parts.scheme}://{host}" + ("" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}")


def _host(name: str, *, is_bracketed: bool) -> str:
    """Return a host as URLs have it. Raises `ValueError`."""
    if is_bracketed:
        return f"[{IPv6Address(name)}]"
    if name.isascii():
        return name if HOST.fullmatch(name) else ""
    return idna.encode(name, uts46=True).decode()


def _checked(name: str, url: str, schemes: Container[str], instead: str) -> str:
    """Return a URL without blanks around it if it can be read in one way only."""
    scheme, _, rest = url.strip().partition("://")
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    userinfo, _, _ = authority.rpartition("@")
    if scheme.lower() not in schemes:
        raise ImproperlyConfigured(f"{name} names {instead}.")
    is_misread = (
        NEVER_RAW.search(rest)
        or "@" in rest[len(authority) :]
        # A user may contain one: many are email addresses.
        or "@" in userinfo.partition(":")[2]
        or re.search(r"[\[\]]", userinfo)
    )
    if is_misread:
        raise ImproperlyConfigured(ENCODE.format(name))
    # The library would take a comma for that between two hosts.
    encoded = quote(userinfo, safe=":%", errors="surrogateescape")
    return f"{scheme.lower()}://{encoded}{rest.removeprefix(userinfo)}"


def _parsed(name: str, parse: Callable[[str], dict[str, Any]], url: str) -> dict[str, Any]:
    try:
        return parse(url)
    except ValueError:
        raise ImproperlyConfigured(f"The host or the port in {name} cannot be read. {ENCODE.format(name)}") from None
