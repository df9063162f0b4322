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


class Mark(NamedTuple):
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
    return any(mark.person == str(person.pk) for mark in _marks(request))


def anybody(request: HttpRequest) -> str:
    """Name somebody who has signed in here; nothing where nobody has."""
    return next((mark.person for mark in _marks(request)), "")


def name(request: HttpRequest, person: User) -> str:
    """Name a browser in which this person has signed in since they chose their password; others have no name.

    It stays, whoever signs in there: a new one each time would give as many tries as there are sign-ins.
    """
    return _mark(request, person).browser


def name_past_second_step(request: HttpRequest, person: User) -> str:
    """Name such a browser where they came past the second step too, with the app or the codes that they have now."""
    mark = _mark(request, person)
    return mark.browser if mark.factor and mark.factor == _factor(person) else ""


def remember(request: HttpRequest, response: HttpResponseBase, person: User) -> None:
    """Leave word in the browser that this person has signed in there, past every step; it opens nothing."""
    mark = Mark(str(person.pk), _password(person), name(request, person) or secrets.token_hex(8), _factor(person))
    others = [mark for mark in _marks(request) if mark.person != str(person.pk)]
    response.set_signed_cookie(
        COOKIE,
        ".".join("-".join(mark) for mark in [mark, *others][:PEOPLE_AT_MOST]),
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


def _mark(request: HttpRequest, person: User) -> Mark:
    own = (str(person.pk), _password(person))
    return next((mark for mark in _marks(request) if (mark.person, mark.password) == own), Mark())


def _marks(request: HttpRequest) -> list[Mark]:
    said = request.get_signed_cookie(COOKIE, "", salt=SALT, max_age=KEPT_FOR) or ""
    return [Mark(*text.split("-")) for text in said.split(".") if text]
