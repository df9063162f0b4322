"""Testing the call in the editor, saved or not."""

import json
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django_htmx.http import reswap, retarget

from accounts.web.actions import action
from accounts.web.clients import Client
from accounts.web.requests import LoggedInRequest, takes_long_forms
from developers.outbound import running
from developers.outbound.editor import samples
from developers.outbound.editor.drafts import Draft
from developers.outbound.editor.editor import Editor
from developers.outbound.editor.exchange import response_context
from developers.outbound.models import NAME_LENGTH
from developers.outbound.recipe import before_path, placeholders
from developers.outbound.transport import cancelling
from developers.outbound.views.apis import PAGE
from developers.outbound.views.editor_page import (
    TEMPLATE,
    context_of,
    find_api,
    keep_draft,
    kept_response,
    page_of_editor,
)

TESTED = "developers/outbound/tested.html"
VALUES = "developers/outbound/values.html"


@takes_long_forms
@action(page_of_editor)
@never_cache
@sensitive_post_parameters()
def try_out(request: LoggedInRequest, api_id: str | None = None) -> HttpResponse:
    """Send the call in the editor, saved or not, once each of its attributes has a sample value.

    Without scripts the values have a page of their own, where Enter sends: in the editor it saves.
    """
    api, stored = find_api(request, api_id)
    draft = Draft.posted(request.POST)
    keep_draft(api, stored, draft)
    if "back" in request.POST:
        return _show(request, context_of(Editor(api, stored, draft), stored), was_sent=False)
    note = samples.fill_in(draft, request.POST.get("fill", ""))
    editor = Editor(api, stored, draft, is_checked=True, is_test=True)
    if not editor.is_valid():
        context = context_of(editor, stored) | {"problems": samples.problems_of(editor)}
        return _show(request, context, was_sent=False)
    names = placeholders(editor.recipe())
    missing = samples.missing(draft, names)
    context = context_of(editor, stored, names) | {"missing_samples": missing, "note": note}
    context["are_other_samples"] = set(names) != set(draft.samples)
    if not request.htmx and (missing or "values" in request.POST or "fill" in request.POST):
        return render(request, VALUES, context | {"carried": samples.carried(request.POST)})
    if missing:
        return _show(request, context | {"problems": samples.problems_of_samples(missing)}, was_sent=False)
    return _show(request, context | _send(request, editor, {name: draft.samples[name] for name in names}))


@action(PAGE)
@never_cache
def cancel(request: LoggedInRequest) -> HttpResponse:
    """End the account's running test of this id."""
    cancelling.cancel(request.user.pk, request.POST.get("test_id", ""))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _show(request: LoggedInRequest, context: dict[str, Any], *, was_sent: bool = True) -> HttpResponse:
    """Show what a test came to. What the last one got stays in sight if nothing was sent."""
    if not was_sent and not request.htmx:
        context |= kept_response(request, context["rows_url"])
    context["problems_json"] = json.dumps(context.get("problems", samples.NO_PROBLEMS))
    response = render(request, TESTED if request.htmx else TEMPLATE, context)
    # The script swaps in a response of 429 only with this header: a proxy's own page for a 429 has none.
    response = retarget(response, "#outcome")
    return response if was_sent else reswap(response, "none")


@sensitive_variables("recipe")
def _send(request: LoggedInRequest, editor: Editor, values: dict[str, str]) -> dict[str, Any]:
    """Send a valid call with these values; return what the page shows of it."""
    recipe = editor.recipe()
    name = editor.form.cleaned_data["name"] or f"{recipe.method} {before_path(recipe.url)}"[:NAME_LENGTH]
    try:
        run = running.try_out(
            request.user,
            name,
            recipe,
            values,
            client=Client.of(request),
            api=None if editor.api._state.adding else editor.api,
            test_id=request.POST.get("test_id", ""),
        )
    except running.Unfillable as refusal:
        return {"refusal": str(refusal)}
    except (running.NoFreeSlot, running.TooManyCalls) as refusal:
        request.retry_after = refusal.seconds  # type: ignore[attr-defined]  # for accounts.middleware.report_rate_limits
        return {"refusal": str(refusal)}
    return response_context(run, has_scripts=bool(request.htmx))
