"""Browsers in which a person has signed in before, told by a signed cookie that stays in them."""

import secrets
from datetime import timedelta
from typing import NamedTuple

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from accounts.models import User

COOKIE = "__Host-known" if settings.HTTPS else "known"
SALT = "accounts.known_browsers.marks"
KEPT_FOR = timedelta(days=365)
PEOPLE_AT_MOST = 10


class KnownPerson(NamedTuple):
    """What a browser says of one who signed in: their password, its own name, and the factor past which they came."""

    person: str = ""
    password: str = ""
    browser: str = ""
    factor: str = ""


def note_new_browser(request: HttpRequest, person: User) -> None:
    """Note on the request whether a sign-in in this browser is news; with the first of all, every browser is new."""
    request.is_new_browser = person.last_login is not None and not is_known(request, person)  # type: ignore[attr-defined]


def is_new_browser(request: HttpRequest) -> bool:
    return getattr(request, "is_new_browser", False)


def is_known(request: HttpRequest, person: User) -> bool:
    """Tell whether this person has signed in here before."""
    return any(known.person == str(person.pk) for known in _known_people(request))


def any_known_person(request: HttpRequest) -> str:
    """Name somebody who has signed in here; nothing where nobody has."""
    return next((known.person for known in _known_people(request)), "")


def browser_id(request: HttpRequest, person: User) -> str:
    """Name a browser in which this person has signed in since they chose their password; others have no name.

    It stays, whoever signs in there: a new one each time would give as many tries as there are sign-ins.
    """
    return _known_person(request, person).browser


def browser_id_past_second_step(request: HttpRequest, person: User) -> str:
    """Name such a browser where they came past the second step too, with the app or the codes that they have now."""
    known = _known_person(request, person)
    return known.browser if known.factor and known.factor == _factor(person) else ""


def remember(request: HttpRequest, response: HttpResponseBase, person: User) -> None:
    """Leave word in the browser that this person has signed in there, past every step; it opens nothing."""
    known = KnownPerson(
        str(person.pk), _password(person), browser_id(request, person) or secrets.token_hex(8), _factor(person)
    )
    others = [known for known in _known_people(request) if known.person != str(person.pk)]
    response.set_signed_cookie(
        COOKIE,
        ".".join("-".join(known) for known in [known, *others][:PEOPLE_AT_MOST]),
        salt=SALT,
        max_age=KEPT_FOR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _password(person: User) -> str:
    # Changes with the password, of which it says nothing: an HMAC of its hash.
    return person.password_fingerprint()[:16]


def _factor(person: User) -> str:
    """Name what the second step takes codes of: the app, without one the recovery codes, or nothing."""
    types = [Authenticator.Type.RECOVERY_CODES, Authenticator.Type.TOTP]
    last = Authenticator.objects.filter(user=person, type__in=types).order_by("type").last()
    return str(last.pk) if last else ""


def _known_person(request: HttpRequest, person: User) -> KnownPerson:
    own = (str(person.pk), _password(person))
    return next((known for known in _known_people(request) if (known.person, known.password) == own), KnownPerson())


def _known_people(request: HttpRequest) -> list[KnownPerson]:
    said = request.get_signed_cookie(COOKIE, "", salt=SALT, max_age=KEPT_FOR) or ""
    return [KnownPerson(*text.split("-")) for text in said.split(".") if text]
