"""Middleware of all pages: log-in, tracking of sessions, languages, time zones and rate limits."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone

from accounts.models import User
from accounts.orm import best_effort
from accounts.orm.owners import AccountGone
from accounts.sessions import SessionEnded, SessionStore
from accounts.web import languages
from accounts.web.actions import page_of
from accounts.web.clients import Client
from accounts.web.requests import send_to

TIME_ZONE_COOKIE = "time_zone"
TIME_ZONES = frozenset(available_timezones())


class LoginRequired(LoginRequiredMiddleware):
    """Sends people who are not logged in to the log-in page, and then back to a page, never to an action."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Do the same where the session ended, or the account was deleted, during the request."""
        is_over = isinstance(error, SessionEnded | AccountGone)
        if isinstance(error, IntegrityError) and request.user.is_authenticated:
            is_over = not User.objects.filter(pk=request.user.pk).exists()
        if not is_over:
            return None
        request.session.flush()
        return to_log_in(request)

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponse:  # type: ignore[override]
        return to_log_in(request)


def to_log_in(request: HttpRequest) -> HttpResponse:
    url, back = resolve_url(settings.LOGIN_URL), urlencode({REDIRECT_FIELD_NAME: page_of(request)})
    return send_to(request, f"{url}?{back}")


class TrackSessions:
    """Records in a session its client and when its person was last seen, except by views that only a page calls."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        cast(SessionStore, request.session).client = Client.of(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_arguments: Any) -> None:
        if not getattr(view, "is_no_activity", False):
            cast(SessionStore, request.session).note_seen()


def activate_language(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer in the account's language. `accounts.web.languages` has activated the browser's until here."""

    def middleware(request: HttpRequest) -> HttpResponse:
        language = languages.offered(request.user.language) if request.user.is_authenticated else ""
        if not language:
            return get_response(request)
        with languages.answering(request, language):
            return get_response(request)

    return middleware


def activate_time_zone(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Show times in the zone that the browser reports in a cookie, else in the account's zone.

    The account's zone follows the browser's, so that mails show the same times as pages.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        reported = request.COOKIES.get(TIME_ZONE_COOKIE, "")
        zone = reported if reported in TIME_ZONES else ""
        if request.user.is_authenticated:
            if zone and zone != request.user.time_zone:
                account = User.objects.filter(pk=request.user.pk)
                best_effort.try_write(
                    f"The time zone of user {request.user.pk}", lambda: account.update(time_zone=zone)
                )
                request.user.time_zone = zone
            zone = request.user.time_zone
        with timezone.override(ZoneInfo(zone) if zone else None):
            return get_response(request)

    return middleware


def report_rate_limits(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer a form that came once too often with 429 and `Retry-After` (RFC 6585, section 4), and its page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        seconds: int | None = getattr(request, "retry_after", None)
        if seconds and response.status_code == HTTPStatus.OK:
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = str(seconds)
        return response

    return middleware
