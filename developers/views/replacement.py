"""The list of who has moved to the new token, on the page of the token."""

from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.web.actions import action
from accounts.web.clients import Client
from accounts.web.requests import LoggedInRequest, not_an_activity
from developers import issuance, usage
from developers.forms import RevokeForm
from developers.replacement import Replacement, replacement_of

PAGE = "developers:api-access-token"
TEMPLATE = "developers/replacement.html"


@not_an_activity
@require_safe
@never_cache
def moved(request: LoggedInRequest) -> HttpResponse:
    """Return the list to the open page that shows it, or 204 if it says what `seen` names."""
    if not request.htmx:
        return redirect(PAGE)
    found = _replacement(request)
    if not found.movers or found.version == request.GET.get("seen"):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return render(request, f"{TEMPLATE}#filled-in", {"replacement": found})


@action(PAGE)
@never_cache
def dismiss(request: LoggedInRequest) -> HttpResponse:
    """Dismiss the list of the posted generation and of earlier ones."""
    form = RevokeForm(request.POST)
    if form.is_valid():
        usage.dismiss_list(request.user.pk, form.cleaned_data["generation"])
    if request.htmx:
        return render(request, TEMPLATE, {"replacement": _replacement(request)})
    return redirect(PAGE)


def _replacement(request: LoggedInRequest) -> Replacement:
    token = issuance.token_of(request.user, Client.of(request))
    return replacement_of(token, list(request.user.revoked_tokens.all()))
