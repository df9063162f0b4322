"""Browsers in which a person has signed in before, told by a signed cookie that stays in them."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from accounts.models import User

COOKIE = "__Host-known" if settings.HTTPS else "known"
SALT = "accounts.known_browsers"
KEPT_FOR = timedelta(days=365)
PEOPLE_AT_MOST = 10


def look(request: HttpRequest, person: User) -> None:
    """Note on the request whether a sign-in in this browser is news; with the first of all, every browser is new."""
    request.is_news = person.last_login is not None and not is_known(request, person)  # type: ignore[attr-defined]


def is_news(request: HttpRequest) -> bool:
    return getattr(request, "is_news", False)


def is_known(request: HttpRequest, person: User) -> bool:
    """Tell whether this person has signed in here before."""
    return any(entry.partition("-")[0] == str(person.pk) for entry in _entries(request))


def is_trusted(request: HttpRequest, person: User) -> bool:
    """Tell whether this person has signed in here since they chose their password."""
    return _entry(person) in _entries(request)


def name(request: HttpRequest) -> str:
    """Name a browser that says that it is known, by what it says, which is new with each sign-in there."""
    return request.COOKIES.get(COOKIE, "")


def remember(request: HttpRequest, response: HttpResponseBase, person: User) -> None:
    """Leave word in the browser that this person has signed in there; it opens nothing."""
    others = [entry for entry in _entries(request) if entry.partition("-")[0] != str(person.pk)]
    response.set_signed_cookie(
        COOKIE,
        ".".join([_entry(person), *others][:PEOPLE_AT_MOST]),
        salt=SALT,
        max_age=KEPT_FOR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _entry(person: User) -> str:
    # Changes with the password, of which it says nothing: an HMAC of its hash.
    return f"{person.pk}-{person.get_session_auth_hash()[:16]}"


def _entries(request: HttpRequest) -> list[str]:
    return (request.get_signed_cookie(COOKIE, "", salt=SALT, max_age=KEPT_FOR) or "").split(".")
