"""Testing the call in the editor, saved or not."""

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

FORM = "developers/outbound/editor_form.html"
OUTCOME = "developers/outbound/outcome.html"


@takes_long_forms
@action(page_of_editor)
@never_cache
@sensitive_post_parameters()
@sensitive_variables("recipe")
def try_out(request: LoggedInRequest, api_id: str | None = None) -> HttpResponse:
    """Send the call in the editor, saved or not, once each of its attributes has a sample value."""
    api, stored = find_api(request, api_id)
    draft = Draft.posted(request.POST)
    keep_draft(api, stored, draft)
    editor = Editor(api, stored, draft, is_checked=True, is_test=True)
    if not editor.is_valid():
        context = context_of(editor, stored)
        context |= kept_response(request, context["rows_url"])
        response = render(request, FORM if request.htmx else TEMPLATE, context)
        return reswap(retarget(response, "#editor"), "outerHTML")
    recipe = editor.recipe()
    names = placeholders(recipe)
    outcome: dict[str, Any] = {"is_tested": True, "missing_samples": _missing(editor.draft, names)}
    if not outcome["missing_samples"]:
        samples = {name: editor.draft.samples[name] for name in names}
        name = editor.form.cleaned_data["name"] or f"{recipe.method} {before_path(recipe.url)}"[:NAME_LENGTH]
        try:
            run = running.try_out(
                request.user,
                name,
                recipe,
                samples,
                client=Client.of(request),
                api=api if api_id else None,
                test_id=request.POST.get("test_id", ""),
            )
        except running.Unfillable as refusal:
            outcome["refusal"] = str(refusal)
        except (running.NoFreeSlot, running.TooManyCalls) as refusal:
            outcome["refusal"] = str(refusal)
            request.retry_after = refusal.seconds  # type: ignore[attr-defined]  # for accounts.middleware.report_rate_limits
        else:
            outcome |= response_context(run, has_scripts=bool(request.htmx))
    context = context_of(editor, stored, names) | outcome
    response = render(request, OUTCOME if request.htmx else TEMPLATE, context)
    # The script swaps in a response of 429 only with this header: a proxy's own page for a 429 has none.
    return retarget(response, "#outcome")


@action(PAGE)
@never_cache
def cancel(request: LoggedInRequest) -> HttpResponse:
    """End the account's running test of this id."""
    cancelling.cancel(request.user.pk, request.POST.get("test_id", ""))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _missing(draft: Draft, names: list[str]) -> list[str]:
    return [name for name in names if not draft.samples.get(name, "").strip()]
