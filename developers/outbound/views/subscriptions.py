"""Webhooks: the addresses that programs have subscribed to new contacts; keeping and stopping one."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.web.actions import action
from accounts.web.clients import Client
from accounts.web.confirmation import is_confirmed
from accounts.web.requests import LoggedInRequest
from developers.outbound import quotas
from developers.outbound.subscriptions import subscribing
from developers.outbound.subscriptions.models import Subscription
from developers.programs import program_name, program_of

PAGE = "developers:outbound:subscriptions"


@require_safe
@never_cache
def subscriptions(request: LoggedInRequest) -> HttpResponse:
    rows = _rows(request.user)
    live = [row for row in rows if row["state"] != "stopped"]
    usage = quotas.SUBSCRIPTIONS.usage(len(live))
    context = {"rows": live, "stopped": [row for row in rows if row["state"] == "stopped"], "usage": usage}
    context["paused"] = [row for row in live if row["state"] == "paused"]
    return render(request, "developers/outbound/subscriptions.html", context)


@action(PAGE)
@never_cache
def keep(request: LoggedInRequest, subscription_id: str) -> HttpResponse:
    """Resume a paused webhook, unless the token was revoked once more since the page was shown."""
    generation = _generation(request.user)
    is_shown = request.POST.get("generation") == str(generation)
    if is_shown and subscribing.keep(request.user.pk, subscription_id, generation, Client.of(request)):
        messages.success(request, _("The webhook is kept. It gets new contacts again."))
    elif not is_shown:
        messages.error(request, _("Your token was revoked again meanwhile. Check the webhooks once more."))
    return redirect(PAGE)


@action(PAGE)
@never_cache
def stop(request: LoggedInRequest, subscription_id: str) -> HttpResponse:
    """Ask whether to stop a webhook, and delete it once the answer is yes."""
    if is_confirmed(request):
        if subscribing.stop(request.user.pk, subscription_id, Client.of(request)):
            messages.success(request, _("The webhook is stopped. Nothing is sent there any more."))
        return redirect(PAGE)
    found = get_object_or_404(subscribing.shown(request.user), pk=subscription_id)
    context = {"row": _row(found, _generation(request.user), _bots(request.user))}
    return render(request, "developers/outbound/stop_subscription.html", context)


def _rows(owner: User) -> list[dict[str, Any]]:
    generation, bots = _generation(owner), _bots(owner)
    return [_row(each, generation, bots) for each in subscribing.shown(owner)]


def _row(subscription: Subscription, generation: int, bots: dict[str, str]) -> dict[str, Any]:
    return {
        "webhook": subscription,
        "generation": generation,
        "state": _state(subscription, generation),
        "program": program_name(program_of(subscription.client)),
        "bot": bots.get(subscription.bot_id, ""),
    }


def _state(subscription: Subscription, generation: int) -> str:
    if subscription.stopped_at:
        return "stopped"
    if subscription.generation != generation:
        return "paused"
    return "failing" if subscription.failing_since else "active"


def _generation(owner: User) -> int:
    token = getattr(owner, "api_token", None)
    return token.generation if token else 0


def _bots(owner: User) -> dict[str, str]:
    ids = [each.bot_id for each in subscribing.shown(owner).only("bot_id")]
    return dict(owner.bots.filter(pk__in=ids, is_deleted=False).values_list("pk", "name"))
