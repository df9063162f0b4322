"""Languages: of a person, of a browser before log-in, and of what is written to somebody outside of a request.

    account's language ─▶ else the browser's cookie ─▶ else its Accept-Language ─▶ else English

The cookie holds what somebody chose in this browser. It never changes the language of an account that has one: a
browser may be shared, and the choice may be a year old.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from accounts.models import User


def offered(language: str) -> str:
    """Return a language that is offered, or "" for one that is not, such as one of an earlier version."""
    return language if language in dict(settings.LANGUAGES) else ""


def of(person: User) -> str:
    """Return the language in which to write to a person."""
    return offered(person.language) or settings.LANGUAGE_CODE


def written_to(person: User) -> translation.override:
    """Return a context in which texts are in the person's language, whatever the language of the request or worker."""
    return translation.override(of(person))


def named_by(request: HttpRequest) -> str:
    """Return the language in which a browser is answered, or "" if it asks for none."""
    names_one = settings.LANGUAGE_COOKIE_NAME in request.COOKIES or "HTTP_ACCEPT_LANGUAGE" in request.META
    return translation.get_language_from_request(request) if names_one else ""


def remember(response: HttpResponse, language: str) -> None:
    """Keep a choice in the browser, for pages before log-in."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,  # type: ignore[arg-type]  # one of the three words
    )


@contextmanager
def answering(request: HttpRequest, language: str) -> Iterator[None]:
    """Answer a request in a language. The thread has none of it afterwards; the headers and later work know it."""
    request.LANGUAGE_CODE = language
    with translation.override(language):
        yield


def activate_language_of_browser(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer in the browser's language. It stands before other middleware, whose errors are pages too."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with answering(request, translation.get_language_from_request(request)):
            return get_response(request)

    return middleware


def add_headers(request: HttpRequest, response: HttpResponse) -> None:
    """Say in which language a page is, and what decides that (RFC 9110, sections 8.5 and 12.5.5)."""
    response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
    patch_vary_headers(response, ["Accept-Language", "Cookie"])
