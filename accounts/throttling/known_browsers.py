"""Known browsers: those in which a person has logged in before, recognised by a signed cookie."""

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
    """An entry of the cookie: who logged in, a fingerprint of their password, the browser's id, and the factor used."""

    person: str = ""
    password: str = ""
    browser: str = ""
    factor: str = ""


def note_new_browser(request: HttpRequest, person: User) -> None:
    """Note on the request whether this browser is new to the person. No browser is new at the first log-in."""
    request.is_new_browser = person.last_login is not None and not is_known(request, person)  # type: ignore[attr-defined]


def is_new_browser(request: HttpRequest) -> bool:
    return getattr(request, "is_new_browser", False)


def is_known(request: HttpRequest, person: User) -> bool:
    """Return whether this person has logged in here before."""
    return any(known.person == str(person.pk) for known in _known_people(request))


def any_known_person(request: HttpRequest) -> str:
    """Return the id of a person who has logged in here, or ""."""
    return next((known.person for known in _known_people(request)), "")


def browser_id(request: HttpRequest, person: User) -> str:
    """Return the id of a browser in which this person has logged in since they chose their password, or "".

    It stays the same at every log-in: a new id each time would give new attempts with each log-in.
    """
    return _known_person(request, person).browser


def browser_id_past_second_step(request: HttpRequest, person: User) -> str:
    """Return that id if the person also passed the second step, with the app or the codes that they have now."""
    known = _known_person(request, person)
    return known.browser if known.factor and known.factor == _factor(person) else ""


def remember(request: HttpRequest, response: HttpResponseBase, person: User) -> None:
    """Set the cookie after a complete log-in. It grants no access."""
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
    # An HMAC of the password's hash: it changes with the password and reveals nothing about it.
    return person.password_fingerprint()[:16]


def _factor(person: User) -> str:
    """Return the id of the factor whose codes the second step takes: the app, else the recovery codes, else ""."""
    types = [Authenticator.Type.RECOVERY_CODES, Authenticator.Type.TOTP]
    last = Authenticator.objects.filter(user=person, type__in=types).order_by("type").last()
    return str(last.pk) if last else ""


def _known_person(request: HttpRequest, person: User) -> KnownPerson:
    own = (str(person.pk), _password(person))
    return next((known for known in _known_people(request) if (known.person, known.password) == own), KnownPerson())


def _known_people(request: HttpRequest) -> list[KnownPerson]:
    cookie = request.get_signed_cookie(COOKIE, "", salt=SALT, max_age=KEPT_FOR) or ""
    return [KnownPerson(*text.split("-")) for text in cookie.split(".") if text]
