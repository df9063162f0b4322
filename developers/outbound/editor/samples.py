"""The values that a test fills in: which are missing, what a contact fills in, and the problems beside the fields."""

import json
from collections.abc import Iterable
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from developers.outbound.editor.drafts import SAMPLE, Draft
from developers.outbound.editor.editor import Editor

NO_PROBLEMS: dict[str, Any] = {"errors": {}, "first": "", "part": ""}
# Buttons, what a page makes anew, and the values themselves: not carried along by the page of the values.
NOT_CARRIED = ("csrfmiddlewaretoken", "test_id", "values", "back", "fill", "names", "q", "page", "api")


def missing(draft: Draft, names: Iterable[str]) -> list[str]:
    return [name for name in names if not draft.samples.get(name, "").strip()]


def fill_in(draft: Draft, text: str) -> str:
    """Put the values of a contact into a draft: JSON with `values` by names, and a `note` that is returned.

    Anything else is ignored.
    """
    try:
        filled = json.loads(text)
        values, note = filled["values"], filled["note"]
        known = {name.lower(): value for name, value in values.items() if isinstance(value, str)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ""
    for name in draft.samples:
        draft.samples[name] = known.get(name.lower(), draft.samples[name])
    return str(note)


def carried(data: QueryDict) -> list[tuple[str, str]]:
    """Return the fields of the editor that a page without them posts along."""
    return [
        (name, value)
        for name, values in data.lists()
        for value in values
        if name not in NOT_CARRIED and not name.startswith(SAMPLE)
    ]


def problems_of(editor: Editor) -> dict[str, Any]:
    """Return the sentence for each wrong field by its id, the id of the first one, and the part that it is in."""
    errors = {form[name].id_for_label: " ".join(map(str, form.errors[name])) for _part, form, name in editor.wrong()}
    return {"errors": errors, "first": next(iter(errors), ""), "part": editor.draft.part}


def problems_of_samples(names: Iterable[str]) -> dict[str, Any]:
    """Return the same for values that are missing."""
    errors = {f"{SAMPLE}{name}": _("Enter a value for the test.") for name in names}
    return {"errors": errors, "first": next(iter(errors), ""), "part": ""}
