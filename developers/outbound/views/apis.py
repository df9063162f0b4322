"""The list of 3rd Party Apps APIs; copying and deleting one."""

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.keyring import Unreadable
from accounts.orm.batches import delete_with_referrers
from accounts.quotas import QuotaExceeded
from accounts.web.actions import action
from accounts.web.confirmation import is_confirmed
from accounts.web.pagination import paged
from accounts.web.requests import LoggedInRequest
from developers.outbound import quotas
from developers.outbound.models import NAME_LENGTH, OutboundApi
from developers.outbound.recipe import Recipe

PAGE = "developers:outbound:apis"
MOST_COPIES = 20


@require_safe
@never_cache
def apis(request: LoggedInRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    # A sealed call may be a megabyte.
    found = OutboundApi.objects.owned_by(request.user).defer("sealed")
    page = paged(request, found.search(text) if text else found)
    usage = None if text else quotas.APIS.usage(page["page"].paginator.count)
    return render(request, "developers/outbound/apis.html", page | {"q": text, "usage": usage})


@action(PAGE)
@never_cache
def duplicate(request: LoggedInRequest, api_id: str) -> HttpResponse:
    """Copy an API, including its secrets, under a new name, and open the copy."""
    api = get_object_or_404(OutboundApi.objects.owned_by(request.user), pk=api_id)
    try:
        recipe = api.recipe()
    except Unreadable:
        messages.error(request, _("%(api)s can no longer be read, so it can't be copied.") % {"api": api})
        return redirect(PAGE)
    try:
        copy = _copy(api, recipe)
    except QuotaExceeded as full:
        messages.error(request, str(full))
        return redirect(PAGE)
    if copy is None:
        messages.error(
            request, _("There are many copies of %(api)s already. Rename or delete some first.") % {"api": api}
        )
        return redirect(PAGE)
    messages.success(request, _("%(api)s is a copy, its hidden values too.") % {"api": copy})
    return redirect("developers:outbound:api", api_id=copy.pk)


@action(PAGE)
@never_cache
def delete(request: LoggedInRequest, api_id: str) -> HttpResponse:
    """Ask whether to delete an API, and delete it once the answer is yes."""
    api = get_object_or_404(OutboundApi.objects.owned_by(request.user), pk=api_id)
    if is_confirmed(request):
        sum(delete_with_referrers(OutboundApi.objects.owned_by(request.user).filter(pk=api_id)))
        messages.success(request, _("%(api)s is deleted.") % {"api": api})
        return redirect(PAGE)
    return render(request, "developers/outbound/delete_api.html", {"api": api})


def _copy(api: OutboundApi, recipe: Recipe) -> OutboundApi | None:
    """Save a recipe under the first free name like its own. Return None if too many are taken.

    Relies on the unique constraint of names.
    """
    for number in range(1, MOST_COPIES + 1):
        ending = _(" copy") if number == 1 else _(" copy %(number)d") % {"number": number}
        try:
            return OutboundApi.objects.make(api.owner_id, api.name[: NAME_LENGTH - len(ending)] + ending, recipe)
        except IntegrityError:
            continue
    return None
