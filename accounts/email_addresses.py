"""The rule for email addresses, checked on input and again before mail is sent: one address is one mailbox.

Mail programs and Python's `email` may find more in a header than an address: quoted local parts can hold other
addresses, and encoded words (`=?utf-8?q?…?=`, RFC 2047) are decoded. So the local part is an ASCII dot-atom (RFC 5321,
section 4.1.2) without encoded words, and the domain is a name, stored in its ASCII spelling (RFC 5891) and shown in its
own script. What is typed is normalized first (`accounts.text`).
"""

import re
from contextlib import suppress
from functools import lru_cache
from unicodedata import category

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext_lazy as _

from accounts.text import IDEOGRAPHIC_FULL_STOP, normalize

# Characters. Python's IDNA takes quadratic time.
LONGEST_TYPED = 1_000
# RFC 5321, section 4.5.3.1: octets.
LONGEST_LOCAL_PART, LONGEST_ADDRESS = 64, 254
ENCODED_WORD = "=?"
JOINERS = "\u200c\u200d"
# Django's validator checks the rest. It also accepts the domain localhost.
_validate = EmailValidator()
# By the code of the error.
REASONS = {
    "invalid": _validate.message,
    "local_part": _("Before the @, only the letters a to z, digits and signs such as . - + are possible."),
    "joiner": _("The domain contains an invisible joiner. Type its ASCII spelling, which begins with xn--."),
}


def normalized(text: str) -> str:
    """Return the normal spelling of an address. Raises `ValidationError` where it is not the address of one mailbox."""
    address = spelled(text)
    local, _at, _domain = address.rpartition("@")
    is_too_long = len(local) > LONGEST_LOCAL_PART or len(address) > LONGEST_ADDRESS
    if local.startswith('"') or ENCODED_WORD in local or is_too_long:
        raise _refusal("invalid")
    _validate(address)
    return address


def spelled(text: str) -> str:
    """Return a typed text as an address is stored: lower case, the domain in ASCII. Checks no other part of the rule.

    Raises `ValidationError` where no domain, or more than one, could be meant, and where the local part is not ASCII.
    """
    local, at, domain = normalize(text[: LONGEST_TYPED + 1]).rpartition("@")
    if domain.startswith("[") or len(text) > LONGEST_TYPED or len(domain) > LONGEST_ADDRESS:
        raise _refusal("invalid")
    if _names_another_domain(text):
        raise _refusal("joiner")
    try:
        address = f"{local.lower()}{at}{_in_ascii(domain.replace(IDEOGRAPHIC_FULL_STOP, '.'))}"
    except ValueError:
        raise _refusal("invalid") from None
    if not local.isascii():
        raise _refusal("local_part")
    return address


def account_address(text: str) -> str:
    """Return what a person logs in with: a normalized address, or one that only version 0.1.0 accepted, in lower case.

    Raises `ValidationError` for anything else.
    """
    try:
        return normalized(text)
    except ValidationError as refusal:
        typed = text.strip().lower()
        try:
            _validate(typed)
        except ValidationError:
            raise refusal from None
        return typed


@lru_cache(maxsize=1024)
def ascii_spelling(stored: str) -> str:
    """Return the normal spelling of a stored address, or nothing if version 0.1.0 stored what is no address now."""
    try:
        return normalized(stored)
    except ValidationError:
        return ""


def is_address(text: str) -> bool:
    try:
        normalized(text)
    except ValidationError:
        return False
    return True


def of_before(stored: str) -> str:
    """Return the normal spelling of a stored address, to which version 0.1.0 may have sent mail.

    Raises `ValidationError` where that went to another mailbox: it encoded domains by IDNA 2003, which makes ß two s.
    """
    address = normalized(stored)
    local, at, domain = stored.lower().rpartition("@")
    try:
        encoded = domain.encode("idna").decode()
    except ValueError:
        raise _refusal("invalid") from None
    if f"{local}{at}{encoded}" != address:
        raise _refusal("invalid")
    return address


def is_sendable(stored: str) -> bool:
    try:
        of_before(stored)
    except ValidationError:
        return False
    return True


def mailbox(text: str) -> str:
    """Return the key by which an input is counted: the normalized address, or an invalid input in lower case."""
    try:
        return normalized(text)
    except ValidationError:
        return text.strip().lower()


def spellings(text: str) -> list[str]:
    """Return how an address may be stored: as it was typed, normalized, or with the domain in its own script.

    Only version 0.1.0 stored anything but normalized addresses. What is typed comes first: another account may have
    the normalized one.
    """
    names = [text.strip().lower()]
    with suppress(ValidationError):
        address = spelled(text)
        names += [address, shown(address)]
    return [name for name in dict.fromkeys(names) if _is_storable(name)]


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


def _refusal(code: str) -> ValidationError:
    return ValidationError(REASONS[code], code=code)


def _names_another_domain(text: str) -> bool:
    """Return whether a joiner, which `normalize` removes, belongs to a domain that IDNA 2008 has beside the other."""
    parts = re.split(f"([{JOINERS}])", text)
    if len(parts) == 1:
        return False
    joined = "".join(part if part in JOINERS else normalize(part) for part in parts)
    labels = joined.lower().replace(IDEOGRAPHIC_FULL_STOP, ".").rpartition("@")[2].split(".")
    return any(_is_label(label) for label in labels if set(JOINERS) & set(label))


def _is_label(label: str) -> bool:
    try:
        idna.alabel(label)
    except ValueError:
        return False
    return True


def _in_ascii(domain: str) -> str:
    """Return a domain in ASCII. Raises `ValueError` where lower case or IDNA 2008 make it ambiguous."""
    lower = domain.lower()
    # In lower case a Turkish İ is two characters, and Σ has two forms. Joiners are invisible.
    if len(lower) != len(domain) or lower != "".join(map(str.lower, domain)):
        raise ValueError(domain)
    if any(category(letter) == "Cf" for letter in lower):
        raise ValueError(domain)
    labels = lower.split(".")
    return ".".join(label if label.isascii() else idna.alabel(label).decode() for label in labels)


def _is_storable(text: str) -> bool:
    return bool(text) and not any(letter == "\0" or category(letter) == "Cs" for letter in text)
