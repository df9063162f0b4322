"""Proof of identity: how long ago this session's person last showed who they are."""

from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts.acts import page_of
from accounts.requests import SignedInRequest, send_to


def is_fresh(request: SignedInRequest) -> bool:
    """Tell whether the newest log-in or re-authentication lies within `REAUTHENTICATION_TIMEOUT`.

    allauth's own rule counts only explicit re-authentications, so that one who has just
    logged in would be asked again.
    """
    records = get_authentication_records(request, request.user)
    newest = max((float(record["at"]) for record in records), default=0.0)
    return timezone.now().timestamp() - newest < settings.REAUTHENTICATION_TIMEOUT.total_seconds()


def ask_for_proof(request: HttpRequest, act: str) -> HttpResponse:
    """Send the person to re-authenticate and back to the page, with the name of the act to take up again.

    Nothing of the request is kept or replayed.
    """
    back = f"{page_of(request)}?{urlencode({'confirmed': act})}"
    return send_to(request, f"{reverse('account_reauthenticate')}?{urlencode({REDIRECT_FIELD_NAME: back})}")
