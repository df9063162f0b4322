"""The rule for email addresses, checked on input and again before mail is sent: one address is one mailbox.

Mail programs and Python's `email` may find more in a header than an address: quoted local parts can hold other
addresses, and encoded words (`=?utf-8?q?…?=`, RFC 2047) are decoded. So the local part is an ASCII dot-atom (RFC 5321,
section 4.1.2) without encoded words, and the domain is a name, stored in its ASCII spelling (RFC 5891).
"""

from unicodedata import category

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

# RFC 5321, section 4.5.3.1: octets.
LONGEST_LOCAL_PART, LONGEST_ADDRESS = 64, 254
ENCODED_WORD = "=?"
# Django's validator checks the rest. It also accepts the domain localhost.
_validate = EmailValidator()


def normalized(text: str) -> str:
    """Return the normal spelling of an address: lower case, the domain in ASCII. Raises `ValidationError`."""
    local, at, domain = text.rpartition("@")
    refusal = ValidationError(_validate.message, code=_validate.code)
    if not local.isascii() or local.startswith('"') or ENCODED_WORD in local or domain.startswith("["):
        raise refusal
    try:
        address = f"{local.lower()}{at}{_in_ascii(domain)}"
    except ValueError:
        raise refusal from None
    if len(local) > LONGEST_LOCAL_PART or len(address) > LONGEST_ADDRESS:
        raise refusal
    _validate(address)
    return address


def validate_mailbox(text: str) -> None:
    """Raise `ValidationError` where a text is not the address of one mailbox."""
    normalized(text)


def is_address(text: str) -> bool:
    try:
        normalized(text)
    except ValidationError:
        return False
    return True


def mailbox(text: str) -> str:
    """Return the key by which an input is counted: the normalized address, or an invalid input in lower case."""
    try:
        return normalized(text)
    except ValidationError:
        return text.lower()


def spellings(text: str) -> list[str]:
    """Return how an account's address may be stored: normalized, or as version 0.1.0 stored it."""
    try:
        address = normalized(text)
    except ValidationError:
        return [text.lower()] if _is_storable(text) else []
    local, _at, domain = address.rpartition("@")
    return list(dict.fromkeys([address, f"{local}@{_in_unicode(domain)}"]))


def shown(address: str) -> str:
    """Return an address as people read it: the domain in its own script, where that is the same domain (RFC 5891)."""
    local, at, domain = address.rpartition("@")
    if "xn--" not in domain:
        return address
    try:
        in_unicode = idna.decode(domain)
        return f"{local}{at}{in_unicode}" if _in_ascii(in_unicode) == domain else address
    except ValueError:
        return address


def _in_ascii(domain: str) -> str:
    """Return a domain in ASCII. Raises `ValueError` where lower case or IDNA 2008 make it ambiguous."""
    lower = domain.lower()
    # In lower case a Turkish İ is two characters, the Kelvin sign a k, and Σ has two forms. Joiners are invisible.
    if len(lower) != len(domain) or lower != "".join(map(str.lower, domain)):
        raise ValueError(domain)
    if any(
        was.isascii() != letter.isascii() or category(letter) == "Cf" for was, letter in zip(domain, lower, strict=True)
    ):
        raise ValueError(domain)
    labels = lower.split(".")
    return ".".join(label if label.isascii() else idna.alabel(label).decode() for label in labels)


def _in_unicode(domain: str) -> str:
    try:
        return idna.decode(domain)
    except ValueError:
        return domain


def _is_storable(text: str) -> bool:
    return not any(letter == "\0" or category(letter) == "Cs" for letter in text)
