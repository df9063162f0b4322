"""Adding, removing and bringing back rows of the editor, with and without scripts. Saves and validates nothing."""

import re

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.web.actions import action
from accounts.web.requests import LoggedInRequest, takes_long_forms
from developers.outbound.editor.drafts import Draft
from developers.outbound.editor.editor import Editor
from developers.outbound.editor.formsets import BODY_FIELDS, FORMSETS, MOST_ROWS, PartFormSet, shown
from developers.outbound.models import ATTRIBUTE_LENGTH
from developers.outbound.views.editor_page import (
    TEMPLATE,
    context_of,
    find_api,
    keep_draft,
    kept_response,
    page_of_editor,
)

BUTTONS = ("remove_row", "undo_row")


@takes_long_forms
@action(page_of_editor)
@never_cache
@sensitive_post_parameters()
def change_rows(request: LoggedInRequest, api_id: str | None = None) -> HttpResponse:
    """Add a row, remove one, bring one back, or add one that maps a value of the response."""
    api, stored = find_api(request, api_id)
    draft = Draft.posted(request.POST)
    pressed = next((name for name in BUTTONS if name in request.POST), "")
    part, number = _change(draft, request, pressed) if pressed else _add(draft, request)
    draft.part = "body" if part == BODY_FIELDS else part
    keep_draft(api, stored, draft)
    editor = Editor(api, stored, draft)
    focus = _focus(editor.part(part), number, "attribute" if "map" in request.POST else "")
    context = context_of(editor, stored) | {"part": editor.part(part), "focus": focus}
    if request.htmx:
        return render(request, "developers/outbound/part.html", context)
    return render(request, TEMPLATE, context | kept_response(request, context["rows_url"]))


def _change(draft: Draft, request: LoggedInRequest, pressed: str) -> tuple[str, int]:
    """Mark a row as removed, or as not removed; return its part and its number, or -1."""
    part, _dash, text = request.POST[pressed].rpartition("-")
    part = part if part in FORMSETS else "parameters"
    rows = draft.rows(part)
    # Compared as text: int() refuses thousands of digits.
    number = next((index for index in range(len(rows)) if str(index) == text), -1)
    if number >= 0 and pressed == "remove_row" and shown(part, rows).forms[number].is_blank:
        del rows[number]
        return part, -1
    if number >= 0:
        rows[number]["DELETE"] = pressed == "remove_row"
    return part, number


def _add(draft: Draft, request: LoggedInRequest) -> tuple[str, int]:
    part = "mappings" if "map" in request.POST else request.POST.get("add_row", "")
    part = part if part in FORMSETS else "parameters"
    if len(shown(part, draft.rows(part)).remaining) < MOST_ROWS:
        draft.rows(part).append(_mapping_of(request.POST["map"]) if "map" in request.POST else {})
    return part, len(draft.rows(part)) - 1


def _focus(part: PartFormSet, number: int, field: str) -> str:
    """Put the focus into a row; return what else gets it: the button that adds one, or that of a removed row."""
    if number < 0:
        return "add"
    form = part.forms[number]
    if form.is_removed:
        return str(form.prefix)
    form.fields[field or next(iter(form.fields))].widget.attrs["autofocus"] = True
    return ""


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
