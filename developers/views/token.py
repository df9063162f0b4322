"""The Developers panel: the page of the API access token, and its actions."""

from collections.abc import Mapping
from functools import cache, partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.models import BigIntegerField, F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe
from django_htmx.http import reswap, retarget

from accounts.keyring import Unreadable
from accounts.models import User
from accounts.orm.compiled import CompiledQuery, Parameter
from accounts.reauthentication import ask_to_reauthenticate, is_recently_authenticated
from accounts.security_log import Kind
from accounts.web.actions import action
from accounts.web.clients import Client
from accounts.web.requests import LoggedInRequest, wants_json
from developers import activity, issuance
from developers.first_steps import first_steps
from developers.forms import RevokeForm
from developers.issuance import Outcome, Verdict
from developers.models import ApiToken, RevokedToken
from developers.outbound.subscriptions import subscribing
from developers.replacement import replacement_of, users_of
from developers.snippets import Language, language_of, snippets_in
from developers.views.programs import latest_programs

PAGE = "developers:api-access-token"
REFERENCE = "api-reference"
FIRST_TAB = "developers:outbound:apis"
TEMPLATE = "developers/api_access_token.html"
ACTIVITY_LENGTH = 10
OPERATION_LENGTH = 60
NO_GENERATION = 0
# What people did. The page of the token need not say what was issued or shown; programs stand in "Used by".
WORDS: Mapping[Any, Any] = {
    Kind.TOKEN_ISSUED: gettext_lazy("Issued"),
    Kind.TOKEN_SHOWN: gettext_lazy("Shown"),
    Kind.TOKEN_COPIED: gettext_lazy("Copied"),
    Kind.TOKEN_TRIED: gettext_lazy("Tried out"),
    Kind.TOKEN_REVOKED: gettext_lazy("Revoked"),
}
COLUMNS, REVOKED_COLUMNS = ([field.attname for field in model._meta.fields] for model in (ApiToken, RevokedToken))
TOKENS = CompiledQuery(
    lambda: (
        ApiToken.objects.filter(user=Parameter("owner", BigIntegerField()))
        .order_by(F("user__revoked_tokens__last_refused_at").desc(nulls_last=True), "-user__revoked_tokens__generation")
        .values_list(
            *COLUMNS, *(f"user__revoked_tokens__{name}" for name in REVOKED_COLUMNS), subscribing.number_paused()
        )
    )
)


@require_safe
def developers(request: HttpRequest) -> HttpResponse:
    return redirect(FIRST_TAB)


@require_safe
@never_cache
def api_access_token(request: LoggedInRequest) -> HttpResponse:
    """Show the page. Its query may name an action to continue, or the verdict of a revoke without JavaScript."""
    page = _page(request)
    notice = _notice_from_query(request, page)
    # The URL is untrusted; only the session says whether the user has re-authenticated.
    confirmed = request.GET.get("confirmed", "") if is_recently_authenticated(request) else ""
    return render(request, TEMPLATE, page | notice | {"confirmed": confirmed})


@action(PAGE)
@never_cache
def show_token(request: LoggedInRequest) -> HttpResponse:
    return _reveal(request, Kind.TOKEN_SHOWN, action="show")


@action(PAGE)
@never_cache
def copy_token(request: LoggedInRequest) -> HttpResponse:
    """Return the token to the page's script for the clipboard; without JavaScript, show it for copying by hand."""
    kind = Kind.TOKEN_COPIED if wants_json(request) else Kind.TOKEN_SHOWN
    return _reveal(request, kind, action="copy")


@action(PAGE)
@never_cache
def try_token(request: LoggedInRequest) -> HttpResponse:
    """Return the token to the page's script, which calls the API with it. Redirects any other client."""
    return _reveal(request, Kind.TOKEN_TRIED, action="try") if wants_json(request) else redirect(PAGE)


@action(REFERENCE)
@never_cache
def run_operation(request: LoggedInRequest) -> HttpResponse:
    """Return the token to the script of the API's reference, which runs an operation. Redirects any other client."""
    if not wants_json(request):
        return redirect(REFERENCE)
    return _reveal(request, Kind.TOKEN_TRIED, action=request.POST.get("operation", "")[:OPERATION_LENGTH])


@action(PAGE)
@never_cache
def revoke_token(request: LoggedInRequest) -> HttpResponse:
    """Replace the token of the posted generation; if it is in use, ask first."""
    form = RevokeForm(request.POST)
    posted = form.cleaned_data if form.is_valid() else {"generation": NO_GENERATION, "even_if_used": False}
    outcome = issuance.revoke(request.user, client=Client.of(request), **posted)
    if wants_json(request):
        status = HTTPStatus.OK if outcome.verdict is Verdict.REPLACED else HTTPStatus.CONFLICT
        return JsonResponse({"verdict": outcome.verdict, "hint": outcome.token.hint}, status=status)
    if outcome.verdict is Verdict.IN_USE:
        return _ask_before_revoking(request, outcome)
    if request.htmx:
        return render(request, f"{TEMPLATE}#panel", _page(request) | _notice(outcome.verdict, outcome.revoked))
    return redirect(f"{reverse(PAGE)}?{urlencode({str(outcome.verdict): posted['generation']})}")


@sensitive_variables("secret")
def _reveal(request: LoggedInRequest, kind: Kind, *, action: str) -> HttpResponse:
    """Respond with the token, if the user has authenticated recently."""
    if not is_recently_authenticated(request):
        return ask_to_reauthenticate(request, action)
    try:
        secret = issuance.reveal(request.user, kind, Client.of(request))
    except Unreadable:
        return _refuse_to_reveal(request)
    if wants_json(request):
        return JsonResponse({"token": secret.open()})
    context = _page(request) | {"secret": secret.open(), "action": action}
    return render(request, f"{TEMPLATE}#shown" if request.htmx else TEMPLATE, context)


def _refuse_to_reveal(request: LoggedInRequest) -> HttpResponse:
    if wants_json(request):
        message = _("This token can no longer be read. Revoke it to get a new one.")
        return JsonResponse({"message": message}, status=HTTPStatus.CONFLICT)
    context = _page(request) | {"notice": "unreadable"}
    template = f"{TEMPLATE}#panel" if request.htmx else TEMPLATE
    return retarget(render(request, template, context, status=HTTPStatus.CONFLICT), "#panel")


def _ask_before_revoking(request: LoggedInRequest, outcome: Outcome) -> HttpResponse:
    response = render(
        request, "developers/confirm_revoke.html", {"token": outcome.token, "users": users_of(outcome.token)}
    )
    return reswap(retarget(response, "#dialog"), "innerHTML")


def _page(request: LoggedInRequest) -> dict[str, Any]:
    owner = request.user
    token, revoked_tokens, paused_webhooks = _tokens(owner, Client.of(request))
    before = next((revoked for revoked in revoked_tokens if revoked.generation == token.generation - 1), None)
    events = activity.recent_events(owner, WORDS, ACTIVITY_LENGTH)
    programs = latest_programs(owner)
    return {
        "token": token,
        "unexpected": before if before and before.is_unexpected else None,
        "revoked_tokens": revoked_tokens,
        "replacement": replacement_of(token, revoked_tokens),
        "events": [(WORDS[event.kind], event) for event in events],
        "first_steps": cache(partial(first_steps, token, revoked_tokens, events, programs["used_by"])),
        "paused_webhooks": paused_webhooks,
        "languages": Language,
        "snippets": snippets_in(language_of(request), settings.PUBLIC_URL),
        **programs,
    }


def _tokens(owner: User, client: Client) -> tuple[ApiToken, list[RevokedToken], int]:
    """Return the owner's token, the revoked ones, and how many webhooks wait for the owner. Takes one query."""
    token, revoked_tokens, paused = None, [], 0
    for *values, number_paused in TOKENS.rows(owner=owner.pk):
        paused = number_paused
        token = token or ApiToken.from_db(DEFAULT_DB_ALIAS, COLUMNS, values[: len(COLUMNS)])
        revoked = RevokedToken.from_db(DEFAULT_DB_ALIAS, REVOKED_COLUMNS, values[len(COLUMNS) :])
        revoked_tokens += [revoked] if revoked.pk else []
    return issuance.confirmed(token, owner, client), revoked_tokens, paused


def _notice(verdict: Verdict, revoked: RevokedToken | None) -> dict[str, Any]:
    return {"notice": verdict, "revoked": revoked}


def _notice_from_query(request: LoggedInRequest, page: dict[str, Any]) -> dict[str, Any]:
    """Return the verdict of a revoke without JavaScript, which redirects here with its verdict and generation."""
    verdict = next(
        (verdict for verdict in (Verdict.REPLACED, Verdict.ALREADY_REPLACED) if verdict in request.GET), None
    )
    if verdict is None:
        return {}
    asked_for = request.GET[verdict]
    revoked = next((revoked for revoked in page["revoked_tokens"] if str(revoked.generation) == asked_for), None)
    is_current = verdict is Verdict.ALREADY_REPLACED or (revoked and revoked.generation + 1 == page["token"].generation)
    return _notice(verdict, revoked) if is_current else {}
