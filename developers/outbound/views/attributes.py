"""Custom attributes: listing them, correcting their types, and removing them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.orm.changes import Gone
from accounts.web.actions import action
from accounts.web.pagination import paged
from accounts.web.requests import LoggedInRequest
from developers.outbound import quotas
from developers.outbound.editor.forms import TypeForm
from developers.outbound.models import CustomAttribute

PAGE = "developers:outbound:attributes"


@require_safe
@never_cache
def attributes(request: LoggedInRequest) -> HttpResponse:
    page = paged(request, CustomAttribute.objects.owned_by(request.user))
    context = {"types": CustomAttribute.Type.choices, "usage": quotas.ATTRIBUTES.usage(page["page"].paginator.count)}
    return render(request, "developers/outbound/attributes.html", page | context)


@action(PAGE)
@never_cache
def change_type(request: LoggedInRequest, attribute_id: int) -> HttpResponse:
    """Change an attribute's type. Values that contacts already have stay unchanged."""
    attribute = get_object_or_404(CustomAttribute.objects.owned_by(request.user), pk=attribute_id)
    form = TypeForm(request.POST, instance=attribute)
    if form.is_valid():
        if not CustomAttribute.objects.filter(pk=attribute_id).update(type=form.cleaned_data["type"]):
            raise Gone("The attribute was removed meanwhile.")
        names = {"attribute": attribute, "type": attribute.get_type_display()}
        messages.success(request, _("%(attribute)s has the type %(type)s now.") % names)
    else:
        messages.error(request, _("Choose one from the list."))
    return redirect(PAGE)


@action(PAGE)
@never_cache
def remove_attribute(request: LoggedInRequest, attribute_id: int) -> HttpResponse:
    """Remove an attribute. A mapping with its name still sets it, and saving such a mapping makes it again."""
    attribute = get_object_or_404(CustomAttribute.objects.owned_by(request.user), pk=attribute_id)
    attribute.delete()
    messages.success(request, _("%(attribute)s is removed. Contacts keep what they have.") % {"attribute": attribute})
    return redirect(PAGE)
