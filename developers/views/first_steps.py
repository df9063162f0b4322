"""Get started, on the page of the token: which steps are done, and the language of the commands."""

from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.web.actions import action
from accounts.web.clients import Client
from accounts.web.requests import LoggedInRequest, not_an_activity
from developers import issuance, snippets
from developers.first_steps import steps_so_far
from developers.views.programs import latest_programs

PAGE = "developers:api-access-token"
TEMPLATE = "developers/first_steps.html"


@not_an_activity
@require_safe
@never_cache
def steps(request: LoggedInRequest) -> HttpResponse:
    """Return the steps to the open page that shows them, or 204 if they say what `seen` names.

    Also 204 if the page shows a token of before: it does not say what happens to another.
    """
    if not request.htmx:
        return redirect(PAGE)
    token = issuance.token_of(request.user, Client.of(request))
    first = steps_so_far(request.user, token, is_command_copied="copied" in request.GET)
    if request.GET.get("generation") != str(token.generation) or first.version == request.GET.get("seen"):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    context = {"first_steps": first, "token": token, **latest_programs(request.user)}
    return render(request, f"{TEMPLATE}#filled-in", context)


@action(PAGE)
@never_cache
def choose_language(request: LoggedInRequest) -> HttpResponse:
    """Remember the language of the commands, and return to them."""
    response = redirect(f"{reverse(PAGE)}#commands")
    snippets.remember(response, request.POST.get("language", ""))
    return response
