"""My Account → Security: what guards the account."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def security(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/security.html")
