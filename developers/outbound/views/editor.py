"""The editor: sets up, tests and saves an API on one page."""

import re

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.web.actions import action
from accounts.web.requests import LoggedInRequest, takes_long_forms
from developers.outbound import curl
from developers.outbound.editor.drafts import MOST_ROWS, PARTS, Draft
from developers.outbound.editor.editor import Editor
from developers.outbound.editor.forms import CurlForm
from developers.outbound.models import ATTRIBUTE_LENGTH, OutboundApi
from developers.outbound.recipe import Recipe
from developers.outbound.views.apis import PAGE
from developers.outbound.views.editor_page import TEMPLATE, context_of, find_api

NEW = Recipe(method="GET", url="")


@takes_long_forms
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters()
def editor(request: LoggedInRequest, api_id: str | None = None) -> HttpResponse:
    """Show an API, or an empty one, and save it."""
    api, stored = find_api(request, api_id)
    if request.method != "POST":
        return _show(request, Editor(api, stored, Draft.of(api, stored or NEW)), stored)
    editor = Editor(api, stored, Draft.posted(request.POST), is_checked=True)
    if editor.is_valid() and editor.save():
        messages.success(request, _("%(api)s is saved.") % {"api": api})
        return redirect("developers:outbound:api", api_id=api.pk)
    return _show(request, editor, stored)


@takes_long_forms
@action(PAGE)
@never_cache
@sensitive_post_parameters()
def change_rows(request: LoggedInRequest, api_id: str | None = None) -> HttpResponse:
    """Add a row, remove one, or add one that maps a value of the response. Saves and validates nothing."""
    api, stored = find_api(request, api_id)
    draft = Draft.posted(request.POST)
    name, focus = _change(draft, request)
    editor = Editor(api, stored, draft)
    part = editor.part(name)
    if focus == "row" and part.forms:
        first = "attribute" if "map" in request.POST else next(iter(part.forms[-1].fields))
        part.forms[-1].fields[first].widget.attrs["autofocus"] = True
    context = context_of(editor, stored) | {"part": part, "focus": focus}
    return render(request, "developers/outbound/part.html" if request.htmx else TEMPLATE, context)


@takes_long_forms
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters()
def import_curl(request: LoggedInRequest) -> HttpResponse:
    """Read a pasted call into the editor without saving it, or show it again with its error."""
    form = CurlForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        api = OutboundApi(owner=request.user)
        try:
            read = curl.read(form.cleaned_data["command"])
        except curl.InvalidCommand as reason:
            form.add_error("command", str(reason))
        else:
            editor = Editor(api, None, Draft.of(api, read.recipe, is_stored=False))
            return render(request, TEMPLATE, context_of(editor, None) | {"imported": read})
    return render(request, "developers/outbound/import_curl.html", {"form": form})


def _change(draft: Draft, request: LoggedInRequest) -> tuple[str, str]:
    """Change the draft's rows by the pressed button; return the part, and what gets the focus."""
    part, _dash, number = request.POST.get("remove_row", "").rpartition("-")
    if part in PARTS:
        rows = draft.rows(part)
        # Compared as text: int() refuses thousands of digits.
        rows[:] = [row for index, row in enumerate(rows) if str(index) != number]
        draft.part = part
        return part, "add"
    part = "mappings" if "map" in request.POST else request.POST.get("add_row", "")
    draft.part = part = part if part in PARTS else "parameters"
    if len(draft.rows(part)) < MOST_ROWS:
        draft.rows(part).append(_mapping_of(request.POST["map"]) if "map" in request.POST else {})
    return part, "row"


def _mapping_of(value: str) -> dict[str, str]:
    """Make a row from "kind path", which a value of the response posts. Names the attribute after the last key."""
    kind, _space, path = value.partition(" ")
    word = re.sub(r"\W+", "_", path.rstrip("']").rpartition("'")[2].rpartition(".")[2], flags=re.ASCII).strip("_")
    name = word if word and not word[0].isdigit() else f"value_{word}".rstrip("_")
    return {
        "path": path,
        "attribute": name[:ATTRIBUTE_LENGTH],
        "type": kind if kind in ("number", "yes_no") else "text",
    }


def _show(request: LoggedInRequest, editor: Editor, stored: Recipe | None) -> HttpResponse:
    return render(request, TEMPLATE, context_of(editor, stored))
