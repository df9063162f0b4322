"""What the views of the editor share: the API of the URL, and the page's context."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.keyring import Unreadable
from accounts.web.requests import LoggedInRequest
from developers.outbound import curl
from developers.outbound.call_lists import latest_calls
from developers.outbound.editor.editor import Editor
from developers.outbound.editor.exchange import kept_context
from developers.outbound.editor.formsets import TITLES
from developers.outbound.editor.tree_html import BY_SCRIPT, submitting_to
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe, placeholders

TEMPLATE = "developers/outbound/editor.html"


def find_api(request: LoggedInRequest, api_id: str | None) -> tuple[OutboundApi, Recipe | None]:
    """Return the API of a page's URL, and its recipe: None for a new API, and for one that cannot be unsealed.

    A form that is sent after its API was deleted is shown again, so that nothing is lost. Save and Test refuse it.
    """
    if api_id is None:
        return OutboundApi(owner=request.user), None
    apis = OutboundApi.every if request.method == "POST" else OutboundApi.objects
    api = get_object_or_404(apis.owned_by(request.user), pk=api_id)
    try:
        return api, api.recipe()
    except Unreadable:
        return api, None


def context_of(editor: Editor, stored: Recipe | None, names: list[str] | None = None) -> dict[str, Any]:
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
        "calls": latest_calls(editor.api),
    }


def kept_response(request: LoggedInRequest, rows_url: str) -> dict[str, Any]:
    """Return what the page shows of the test that it showed before it was posted."""
    button = BY_SCRIPT if request.htmx else submitting_to(rows_url)
    return kept_context(request.user, request.POST.get("log", ""), button)
