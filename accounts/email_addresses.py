"""The one rule for email addresses, wherever one comes in and again where mail goes out: one address, one mailbox.

Mail programs and Python's own `email` read more into a header than an address: quoted local parts may hold
other addresses, and RFC 2047's encoded words (`=?utf-8?q?…?=`) are decoded. So the local part is a dot-atom of
ASCII (RFC 5321, section 4.1.2) without them, and the domain is a name, which has one spelling in ASCII (RFC 5891).
"""

from unicodedata import category

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

# RFC 5321, section 4.5.3.1: octets.
LONGEST_LOCAL_PART, LONGEST_ADDRESS = 64, 254
ENCODED_WORD = "=?"
# Django's, for all else; it takes the domain localhost too.
_validate = EmailValidator()


def normalized(text: str) -> str:
    """Return the one spelling of an address: lower case, the domain in ASCII. Raises `ValidationError`."""
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
    """Return the name by which what somebody typed is counted: the address's one spelling, or what is none as it is."""
    try:
        return normalized(text)
    except ValidationError:
        return text.lower()


def spellings(text: str) -> list[str]:
    """Return how an account's address may be kept: in its one spelling, or as version 0.1.0 kept it."""
    try:
        address = normalized(text)
    except ValidationError:
        return [text.lower()] if _is_storable(text) else []
    local, _at, domain = address.rpartition("@")
    return list(dict.fromkeys([address, f"{local}@{_in_unicode(domain)}"]))


def _in_ascii(domain: str) -> str:
    """Spell a domain in ASCII. Raises `ValueError` where case or IDNA 2008 leave a doubt which it is."""
    lower = domain.lower()
    # A Turkish İ becomes two characters, the Kelvin sign a k, and a Greek Σ one or the other; joiners cannot be seen.
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
