"""Proof of identity: how long ago this session's person last showed who they are."""

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
    """Check for a log-in or re-authentication within `REAUTHENTICATION_TIMEOUT`.

    One dated in the future does not count: the clock was set back since. allauth's own rule counts only explicit
    re-authentications, so that one who has just logged in would be asked again.
    """
    now = timezone.now().timestamp()
    earliest, latest = now - settings.REAUTHENTICATION_TIMEOUT.total_seconds(), now + CLOCKS_DIFFER_BY.total_seconds()
    records = get_authentication_records(request, request.user)
    return any(earliest < float(record["at"]) <= latest for record in records)


def recently_authenticated(view: View) -> View:
    """Open a page, or do an act, only to one whose proof of identity is fresh; others give one and come back.

    allauth's own decorator would keep the whole body of a POST in the session, and replay it.
    """

    @wraps(view)
    def guarded(request: LoggedInRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if is_recently_authenticated(request) else ask_to_reauthenticate(request)

    return guarded


def ask_to_reauthenticate(request: HttpRequest, act: str = "") -> HttpResponse:
    """Send the person to re-authenticate and back to the page, with the name of the act to take up again.

    Nothing of the request is kept or replayed.
    """
    back = page_of(request)
    if act:
        back = f"{back}?{urlencode({'confirmed': act})}"
    return send_to(request, f"{reverse('account_reauthenticate')}?{urlencode({REDIRECT_FIELD_NAME: back})}")
