"""Custom attributes: listing and adding them, correcting their types, removing them and bringing them back."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.orm.changes import Gone
from accounts.quotas import QuotaExceeded
from accounts.web.actions import action
from accounts.web.isolates import isolated
from accounts.web.pagination import PAGE_LENGTH, paged
from accounts.web.requests import LoggedInRequest
from accounts.web.undo import offer_undo
from developers.outbound import quotas
from developers.outbound.attributes import AttributeForm, make, number_before
from developers.outbound.editor.forms import TypeForm
from developers.outbound.models import CustomAttribute

PAGE = "developers:outbound:attributes"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def attributes(request: LoggedInRequest) -> HttpResponse:
    form = AttributeForm(request.POST if request.method == "POST" else None)
    added = form.add_to(request.user.pk) if form.is_bound else None
    if added:
        return redirect(_address_of(added))
    page = paged(request, CustomAttribute.objects.owned_by(request.user))
    usage = quotas.ATTRIBUTES.usage(page["page"].paginator.count)
    context = {"types": CustomAttribute.Type.choices, "usage": usage, "form": form}
    return render(request, "developers/outbound/attributes.html", page | context)


@action(PAGE)
@never_cache
def change_type(request: LoggedInRequest, attribute_id: int) -> HttpResponse:
    """Change an attribute's type. Values that contacts already have stay unchanged."""
    attribute = get_object_or_404(CustomAttribute.objects.owned_by(request.user), pk=attribute_id)
    form = TypeForm(request.POST, instance=attribute)
    if not form.is_valid():
        messages.error(request, _("Choose one from the list."))
        return redirect(_address_of(attribute, is_saved=False))
    if not CustomAttribute.objects.filter(pk=attribute_id).update(type=form.cleaned_data["type"]):
        raise Gone("The attribute was removed meanwhile.")
    return redirect(_address_of(attribute))


@action(PAGE)
@never_cache
def remove_attribute(request: LoggedInRequest, attribute_id: int) -> HttpResponse:
    """Remove an attribute. A mapping with its name still sets it, and saving such a mapping makes it again."""
    attribute = get_object_or_404(CustomAttribute.objects.owned_by(request.user), pk=attribute_id)
    CustomAttribute.objects.filter(pk=attribute_id).delete()
    offer_undo(
        request,
        _("%(attribute)s is removed. Contacts keep what they have.") % {"attribute": isolated(attribute)},
        reverse("developers:outbound:restore-attribute", args=[attribute.name, attribute.type]),
    )
    return redirect(f"{reverse(PAGE)}?{urlencode({'page': _page_of(attribute)})}")


@action(PAGE)
@never_cache
def restore_attribute(request: LoggedInRequest, name: str, type: str) -> HttpResponse:  # noqa: A002 - of the URL
    """Make a removed attribute again, with the name and type that it had, or say why that is impossible."""
    try:
        return redirect(_address_of(make(request.user.pk, name, type)))
    except ValidationError as error:
        raise Http404 from error
    except IntegrityError:
        there = get_object_or_404(CustomAttribute.objects.owned_by(request.user).called([name]))
        kind = {"attribute": isolated(there), "type": there.get_type_display()}
        # Translators: %(type)s is "Text", "Number", "Yes or no" or "Date".
        messages.error(request, _("There is an attribute named %(attribute)s again, of the type %(type)s.") % kind)
        return redirect(_address_of(there, is_saved=False))
    except QuotaExceeded as full:
        messages.error(request, str(full))
        return redirect(PAGE)


def _page_of(attribute: CustomAttribute) -> int:
    return number_before(attribute) // PAGE_LENGTH + 1


def _address_of(attribute: CustomAttribute, *, is_saved: bool = True) -> str:
    """Return the address of an attribute's row, which then says that it is saved."""
    query = {"page": _page_of(attribute)} | ({"saved": attribute.pk} if is_saved else {})
    return f"{reverse(PAGE)}?{urlencode(query)}#attribute-{attribute.pk}"
