"""Reauthentication: protects views that require a recent log-in or confirmation of the password."""

from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from accounts.models import CLOCKS_DIFFER_BY
from accounts.web.actions import View, page_of
from accounts.web.requests import LoggedInRequest, send_to


def is_recently_authenticated(request: LoggedInRequest) -> bool:
    """Check for a log-in or reauthentication within `REAUTHENTICATION_TIMEOUT`.

    A time in the future does not count: the clock was set back since. allauth's own rule counts only explicit
    reauthentications, and would ask people again who have just logged in.
    """
    now = timezone.now().timestamp()
    earliest, latest = now - settings.REAUTHENTICATION_TIMEOUT.total_seconds(), now + CLOCKS_DIFFER_BY.total_seconds()
    records = get_authentication_records(request, request.user)
    return any(earliest < float(record["at"]) <= latest for record in records)


def recently_authenticated(view: View) -> View:
    """Allow a view only to people who have authenticated recently; others reauthenticate and come back.

    allauth's own decorator would store the whole body of a POST in the session, and replay it.
    """

    @wraps(view)
    def guarded(request: LoggedInRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if is_recently_authenticated(request) else ask_to_reauthenticate(request)

    return guarded


def ask_to_reauthenticate(request: HttpRequest, action: str = "") -> HttpResponse:
    """Send the person to reauthenticate and back to the page, with the name of the action to offer again.

    Nothing of the request is stored or replayed.
    """
    back = page_of(request)
    if action:
        back = f"{back}?{urlencode({'confirmed': action})}"
    return send_to(request, f"{reverse('account_reauthenticate')}?{urlencode({REDIRECT_FIELD_NAME: back})}")
