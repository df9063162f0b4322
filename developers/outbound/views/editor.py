"""The editor: sets up, tests and saves an API on one page."""

import re
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods
from django_htmx.http import reswap, retarget

from accounts.keyring import Unreadable
from accounts.web.actions import action
from accounts.web.clients import Client
from accounts.web.requests import LoggedInRequest, takes_long_forms
from developers.outbound import curl, running
from developers.outbound.editor.drafts import MOST_ROWS, PARTS, Draft
from developers.outbound.editor.editor import TITLES, Editor
from developers.outbound.editor.forms import CurlForm
from developers.outbound.editor.raw_text import numbered_lines
from developers.outbound.editor.response_tree import build_tree
from developers.outbound.models import ATTRIBUTE_LENGTH, OutboundApi
from developers.outbound.recipe import Recipe, placeholders
from developers.outbound.transport.responses import NO_DATA
from developers.outbound.views.apis import PAGE

TEMPLATE = "developers/outbound/editor.html"
NEW = Recipe(method="GET", url="")


@takes_long_forms
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters()
def editor(request: LoggedInRequest, api_id: str | None = None) -> HttpResponse:
    """Show an API, or an empty one, and save it."""
    api, stored = _api(request, api_id)
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
    api, stored = _api(request, api_id)
    draft = Draft.posted(request.POST)
    name, focus = _change(draft, request)
    editor = Editor(api, stored, draft)
    part = editor.part(name)
    if focus == "row" and part.forms:
        first = "attribute" if "map" in request.POST else next(iter(part.forms[-1].fields))
        part.forms[-1].fields[first].widget.attrs["autofocus"] = True
    context = _context(editor, stored) | {"part": part, "focus": focus}
    return render(request, "developers/outbound/part.html" if request.htmx else TEMPLATE, context)


@takes_long_forms
@action(PAGE)
@never_cache
@sensitive_post_parameters()
@sensitive_variables("recipe")
def try_out(request: LoggedInRequest, api_id: str | None = None) -> HttpResponse:
    """Send the call in the editor, saved or not, once each of its attributes has a sample value."""
    api, stored = _api(request, api_id)
    editor = Editor(api, stored, Draft.posted(request.POST), is_checked=True)
    if not editor.is_valid():
        response = render(request, f"{TEMPLATE}#form" if request.htmx else TEMPLATE, _context(editor, stored))
        return reswap(retarget(response, "#editor"), "outerHTML")
    recipe = editor.recipe()
    names = placeholders(recipe)
    outcome: dict[str, Any] = {"is_tested": True, "missing_samples": _missing(editor.draft, names)}
    if not outcome["missing_samples"]:
        samples = {name: editor.draft.samples[name] for name in names}
        name = editor.form.cleaned_data["name"]
        try:
            run = running.try_out(
                request.user, name, recipe, samples, client=Client.of(request), api=api if api_id else None
            )
        except running.Unfillable as refusal:
            outcome["refusal"] = str(refusal)
        except (running.NoFreeSlot, running.TooManyCalls) as refusal:
            outcome["refusal"] = str(refusal)
            request.retry_after = refusal.seconds  # type: ignore[attr-defined]  # for accounts.middleware.report_rate_limits
        else:
            outcome |= {
                "run": run,
                "response_tree": None if run.response.data is NO_DATA else build_tree(run.response.data),
                "lines": numbered_lines(run.response.text or ""),
            }
    context = _context(editor, stored, names) | outcome
    response = render(request, f"{TEMPLATE}#outcome" if request.htmx else TEMPLATE, context)
    # The script swaps in a response of 429 only with this header: a proxy's own page for a 429 has none.
    return retarget(response, "#outcome")


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
            return render(request, TEMPLATE, _context(editor, None) | {"imported": read})
    return render(request, "developers/outbound/import_curl.html", {"form": form})


def _api(request: LoggedInRequest, api_id: str | None) -> tuple[OutboundApi, Recipe | None]:
    """Return the API of the URL, and its recipe: None for a new API, and for one that cannot be unsealed."""
    if api_id is None:
        return OutboundApi(owner=request.user), None
    api = get_object_or_404(OutboundApi.objects.owned_by(request.user), pk=api_id)
    try:
        return api, api.recipe()
    except Unreadable:
        return api, None


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


def _missing(draft: Draft, names: list[str]) -> list[str]:
    return [name for name in names if not draft.samples.get(name, "").strip()]


def _show(request: LoggedInRequest, editor: Editor, stored: Recipe | None) -> HttpResponse:
    return render(request, TEMPLATE, _context(editor, stored))


def _context(editor: Editor, stored: Recipe | None, names: list[str] | None = None) -> dict[str, Any]:
    is_new = editor.api._state.adding
    if names is None:
        names = placeholders(stored) if stored else []
        names += [name for name in editor.draft.samples if name not in names]
    address = [] if is_new else [editor.api.pk]
    return {
        "editor": editor,
        "is_new": is_new,
        "is_unreadable": not is_new and stored is None,
        "titles": TITLES.items(),
        "current": editor.draft.part if editor.draft.part in TITLES else "parameters",
        "samples": [(name, editor.draft.samples.get(name, "")) for name in names],
        "save_url": reverse("developers:outbound:new-api" if is_new else "developers:outbound:api", args=address),
        "rows_url": reverse(
            "developers:outbound:change-new-rows" if is_new else "developers:outbound:change-rows", args=address
        ),
        "test_url": reverse("developers:outbound:test-new" if is_new else "developers:outbound:test", args=address),
        "command": curl.write(stored) if stored else "",
    }
