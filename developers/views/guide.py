"""The guide to the API access token."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.web.requests import LoggedInRequest


@require_safe
def guide(request: LoggedInRequest) -> HttpResponse:
    return render(request, "developers/guide.html")
