"""Browsers in which a person has signed in before, told by a signed cookie that stays in them."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from accounts.models import User

COOKIE = "__Host-known" if settings.HTTPS else "known"
SALT = "accounts.known_browsers"
KEPT_FOR = timedelta(days=365)
PEOPLE_AT_MOST = 10


def is_known(request: HttpRequest, person: User) -> bool:
    return str(person.pk) in _people(request)


def remember(request: HttpRequest, response: HttpResponseBase, person: User) -> None:
    """Leave word in the browser that this person has signed in there; it opens nothing."""
    people = [str(person.pk), *(other for other in _people(request) if other != str(person.pk))]
    response.set_signed_cookie(
        COOKIE,
        ".".join(people[:PEOPLE_AT_MOST]),
        salt=SALT,
        max_age=KEPT_FOR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _people(request: HttpRequest) -> list[str]:
    return (request.get_signed_cookie(COOKIE, "", salt=SALT, max_age=KEPT_FOR) or "").split(".")
