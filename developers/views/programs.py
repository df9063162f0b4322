"""The programs that use the token: all of them, and what their owner calls them."""

from functools import cache, partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.web.actions import action
from accounts.web.pagination import paged
from accounts.web.requests import LoggedInRequest
from developers import program_labels, used_by
from developers.forms import ProgramLabelForm
from developers.program_labels import TooManyLabels
from developers.programs import program_name

PAGE = "developers:api-access-token"
ALL = "developers:programs"
DRAWN = 10


def latest_programs(owner: User) -> dict[str, Any]:
    """Return what the page of the token shows of programs. Only what shows them reads them, once."""
    # One more, to know whether there are others.
    return {"used_by": cache(partial(used_by.last_used, owner.pk, DRAWN + 1)), "drawn": f":{DRAWN}"}


@require_safe
@never_cache
def programs(request: LoggedInRequest) -> HttpResponse:
    page = paged(request, used_by.names_of(request.user.pk))
    found = used_by.programs_named(request.user.pk, list(page["page"].object_list))
    return render(request, "developers/programs.html", page | {"programs": found})


@action(PAGE)
@never_cache
def label_program(request: LoggedInRequest) -> HttpResponse:
    """Give a program a label or take it away, and return to the page of the form."""
    form = ProgramLabelForm(request.POST)
    if "program" in form.errors:
        raise Http404("No program has this name.")
    if form.is_valid():
        _set_label(request, **form.cleaned_data)
    else:
        messages.error(request, " ".join(map(str, form.errors["label"])))
    return redirect(ALL if "all" in request.POST else PAGE)


def _set_label(request: LoggedInRequest, program: str, label: str) -> None:
    if not used_by.names_of(request.user.pk).filter(program=program).exists():
        raise Http404("No program of this person has this name.")
    names = {"program": program_name(program), "label": label}
    try:
        program_labels.set_label(request.user.pk, program, label)
    except TooManyLabels as full:
        messages.error(request, str(full))
    else:
        done = _("%(program)s is labeled “%(label)s” now.") if label else _("%(program)s has no label now.")
        messages.success(request, done % names)
