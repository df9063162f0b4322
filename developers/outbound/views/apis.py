"""The list of 3rd Party Apps APIs; copying, deleting and restoring one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.backends.utils import csrf_input
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.keyring import Unreadable
from accounts.quotas import QuotaExceeded
from accounts.web.actions import action
from accounts.web.confirmation import is_confirmed
from accounts.web.isolates import isolated
from accounts.web.links import add_links
from accounts.web.pagination import paged
from accounts.web.requests import LoggedInRequest
from accounts.web.undo import offer_undo
from developers.outbound import api_deletion, copying, quotas
from developers.outbound.api_deletion import NotRestored
from developers.outbound.editor import kept_drafts
from developers.outbound.models import OutboundApi

PAGE = "developers:outbound:apis"
LINKS = {
    "address": "developers:outbound:api",
    "duplicate": "developers:outbound:duplicate-api",
    "delete": "developers:outbound:delete-api",
}


@require_safe
@never_cache
def apis(request: LoggedInRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    # Only what is shown, and as dictionaries, which templates read faster than objects.
    found = OutboundApi.objects.owned_by(request.user)
    found = found.search(text) if text else found
    page = paged(request, found.values("id", "name", "method", "url"))
    add_links(page["page"], **LINKS)
    usage = None if text else quotas.APIS.usage(page["page"].paginator.count)
    deleted = [] if text else api_deletion.restorable(request.user).defer("sealed")
    offers = [] if text else kept_drafts.offers(request.user.pk)
    context = {"q": text, "usage": usage, "deleted": deleted, "offers": offers, "csrf_input": csrf_input(request)}
    return render(request, "developers/outbound/apis.html", page | context)


@action(PAGE)
@never_cache
def duplicate(request: LoggedInRequest, api_id: str) -> HttpResponse:
    """Copy an API, including its secrets, under a new name, and open the copy."""
    api = OutboundApi.objects.owned_by(request.user).filter(pk=api_id).first()
    if api is None:
        return _say_deleted(request, api_id)
    try:
        recipe = api.recipe()
    except Unreadable:
        messages.error(request, _("%(api)s can no longer be read, so it can't be copied.") % {"api": isolated(api)})
        return redirect(PAGE)
    try:
        copy = copying.copy(api, recipe)
    except QuotaExceeded as full:
        messages.error(request, str(full))
        return redirect(PAGE)
    if copy is None:
        messages.error(
            request,
            _("There are many copies of %(api)s already. Rename or delete some first.") % {"api": isolated(api)},
        )
        return redirect(PAGE)
    # Translators: "its" means the API's.
    messages.success(request, _("%(api)s is a copy, its hidden values too.") % {"api": isolated(copy)})
    return redirect("developers:outbound:api", api_id=copy.pk)


@action(PAGE)
@never_cache
def delete(request: LoggedInRequest, api_id: str) -> HttpResponse:
    """Ask whether to delete an API, and delete it once the answer is yes."""
    api = OutboundApi.objects.owned_by(request.user).filter(pk=api_id).first()
    if api is None:
        return _say_deleted(request, api_id)
    if is_confirmed(request):
        api_deletion.delete(request.user.pk, api_id)
        offer_undo(
            request,
            _("%(api)s is deleted.") % {"api": isolated(api)},
            reverse("developers:outbound:restore-api", args=[api_id]),
        )
        return redirect(PAGE)
    return render(request, "developers/outbound/delete_api.html", {"api": api})


@action(PAGE)
@never_cache
def restore(request: LoggedInRequest, api_id: str) -> HttpResponse:
    """Bring a deleted API back, or say why that is impossible."""
    try:
        api, former = api_deletion.restore(request.user.pk, api_id)
    except (NotRestored, QuotaExceeded) as reason:
        messages.error(request, str(reason))
        return redirect(PAGE)
    if api.name == former:
        messages.success(request, _("%(api)s is back.") % {"api": isolated(api)})
    else:
        names = {"former": isolated(former), "api": isolated(api)}
        # Translators: %(former)s is the name that a deleted API had, %(api)s the one that it has now.
        messages.success(request, _("%(former)s is back as %(api)s, since another API has its name.") % names)
    return redirect(PAGE)


def _say_deleted(request: LoggedInRequest, api_id: str) -> HttpResponse:
    """Lead a tab that still shows a deleted API to the list, where it can be brought back."""
    api = get_object_or_404(api_deletion.restorable(request.user), pk=api_id)
    messages.error(request, _("%(api)s is deleted already. Bring it back to use it.") % {"api": isolated(api)})
    return HttpResponseClientRedirect(reverse(PAGE)) if request.htmx else redirect(PAGE)
