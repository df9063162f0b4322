"""Passwords: their length, how they are hashed, and how many at a time.

All code that hashes a password calls `make` or `check`; a test checks that.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from allauth.core import context
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import (
    UNUSABLE_PASSWORD_PREFIX,
    Argon2PasswordHasher,
    get_hasher,
    identify_hasher,
    is_password_usable,
    make_password,
    verify_password,
)
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts.text import opaque
from accounts.throttling.hashing import gate
from accounts.throttling.rate_limits import Attempt

# Characters.
LONGEST = 1024
TOO_LONG = _("A password has at most 1,024 characters.")
EMPTY = _("Choose a password.")
# Stands for a hash where there is no account: no password matches it.
NO_PASSWORD = UNUSABLE_PASSWORD_PREFIX


def validate_length(password: str) -> None:
    if len(opaque(password)) > LONGEST:
        raise ValidationError(TOO_LONG, code="password_too_long")


class LengthValidator:
    """The same rule as a validator, for commands, which have no forms."""

    def validate(self, password: str, user: object = None) -> None:
        validate_length(password)

    def get_help_text(self) -> str:
        return str(TOO_LONG)


class Argon2(Argon2PasswordHasher):
    """Argon2id as OWASP recommends it: 19 MiB, two passes, one thread. Django uses 100 MiB and eight threads.

    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """

    memory_cost, time_cost, parallelism = 19 * 1024, 2, 1

    @property
    def kind(self) -> str:
        return f"{self.algorithm}$argon2id$v=19$m={self.memory_cost},t={self.time_cost},p={self.parallelism}"


def make(password: str | None) -> str:
    """Hash a password; for None return a hash that no password matches.

    Raises `ValidationError` where it is empty or too long, and `HashingBusy` where too many are being hashed already.
    """
    if password is None:
        return make_password(None)
    validate_length(password)
    prepared = opaque(password)
    if not prepared:
        raise ValidationError(EMPTY, code="password_empty")
    with gate.place(_may_use_reserved_place):
        return make_password(prepared)


def check(password: str, encoded: str, upgrade: Callable[[str], object] | None = None) -> bool:
    """Check a password against a hash. If it is right, and the hash of an older kind, `upgrade` gets a new hash.

    Hashes of before are of a password as it was typed, now they are of its prepared form. Where the two differ, both
    are tried. While the database holds hashes of older kinds, which take longer, each check computes one of every kind
    for each form. So its time shows neither the kind of the account's hash nor whether there is an account. Raises
    `HashingBusy` where too many passwords are being hashed already.
    """
    prepared = opaque(password)
    if len(prepared) > LONGEST:
        return False
    forms = [prepared, password] if password != prepared and len(password) <= LONGEST else [prepared]
    others = [sample for sample in older_hashes.samples() if _kind(sample) != _kind(encoded)]
    with gate.place(_may_use_reserved_place):
        is_right, upgraded = _verify(forms, encoded)
        for sample in others:
            for form in forms:
                verify_password(form, sample)
    if is_right and upgraded and upgrade:
        upgrade(upgraded)
    return is_right


def _verify(forms: Sequence[str], encoded: str) -> tuple[bool, str]:
    """Return whether one of the forms is right, and a new hash of the first where the hash is of another form or kind.

    It makes one hash of today's kind for each form, and one of the older kind if that is the hash's.
    """
    if not _is_readable(encoded):
        for form in forms:
            make_password(form)
        return False, ""
    hasher = get_hasher()
    is_older = identify_hasher(encoded).algorithm != hasher.algorithm or hasher.must_update(encoded)
    if is_older:
        verdicts = [verify_password(form, encoded)[0] for form in forms]
        renewed = [make_password(form) for form in forms]
        return any(verdicts), renewed[0]
    if len(forms) == 1:
        return verify_password(forms[0], encoded)[0], ""
    # With the salt of the hash, it serves as a comparison and as the new hash.
    of_first = hasher.encode(forms[0], hasher.decode(encoded)["salt"])
    is_second = verify_password(forms[1], encoded)[0]
    return (True, "") if constant_time_compare(of_first, encoded) else (is_second, of_first)


def _is_readable(encoded: str) -> bool:
    try:
        identify_hasher(encoded)
    except ValueError:
        return False
    return is_password_usable(encoded)


def use_reserved_place(request: HttpRequest, whose: str) -> None:
    """Let this request wait in the reserved place, as one of a person who has authenticated before."""
    request.reserved_place_of = whose  # type: ignore[attr-defined]


def _may_use_reserved_place() -> bool:
    """Limit the uses per person: nobody may occupy the place with accounts of their own."""
    whose = getattr(context.request, "reserved_place_of", None)
    return whose is not None and Attempt(context.request).may_take("kept_place", whose)


class OlderHashes:
    """The kinds of hashes in the database that are no longer made. Read every ten minutes."""

    SECONDS = 600
    # There are at most two, unless somebody inserted others by hand.
    KINDS = 3

    def __init__(self) -> None:
        self._samples: list[str] = []
        self._asked_at: float | None = None

    def samples(self) -> list[str]:
        """Return one hash of each kind."""
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at >= self.SECONDS:
            self._asked_at = now
            self._samples = list(self._look_up())
        return self._samples

    def count(self) -> int:
        """Count the accounts that have such a hash. It reads all accounts."""
        return self._owners().count()

    def _look_up(self) -> Iterator[str]:
        others = self._owners()
        for _time in range(self.KINDS):
            sample = others.order_by().values_list("password", flat=True).first()
            if sample is None:
                return
            yield sample
            others = _without(others, _kind(sample))

    def _owners(self) -> QuerySet[Any]:
        users, hasher = get_user_model().objects.all(), get_hasher()
        if not isinstance(hasher, Argon2):
            return users.none()
        usable = users.exclude(password="").exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        return _without(usable, hasher.kind)


def _without(owners: QuerySet[Any], kind: str) -> QuerySet[Any]:
    return owners.exclude(password__startswith=f"{kind}$")


def _kind(encoded: str) -> str:
    """Return the algorithm and parameters of a hash, without salt and digest."""
    return encoded.rsplit("$", 2)[0]


older_hashes = OlderHashes()
