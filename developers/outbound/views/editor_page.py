"""What the views of the editor share: the API of the URL, and the page's context."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.keyring import Unreadable
from accounts.orm.changes import Gone
from accounts.orm.owners import AccountGone
from accounts.quotas import QuotaExceeded
from accounts.web.requests import LoggedInRequest
from developers.outbound import curl
from developers.outbound.call_lists import latest_calls
from developers.outbound.editor import kept_drafts
from developers.outbound.editor.drafts import Draft
from developers.outbound.editor.editor import Editor
from developers.outbound.editor.exchange import kept_context
from developers.outbound.editor.formsets import TITLES
from developers.outbound.editor.kept_drafts import Keeping
from developers.outbound.editor.tree_html import submitting_to
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe, placeholders

TEMPLATE = "developers/outbound/editor.html"
NEW = Recipe(method="GET", url="")


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


def address_of(name: str, api_id: str | None) -> str:
    """Return the path of what belongs to an API, or to one that was never saved: its page, "rows", "test" …"""
    names = {"": ("new-api", "api"), "rows": ("change-new-rows", "change-rows"), "test": ("test-new", "test")}
    new, of_api = names.get(name, (f"{name}-new", name))
    return reverse(f"developers:outbound:{of_api}", args=[api_id]) if api_id else reverse(f"developers:outbound:{new}")


def page_of_editor(api_id: str | None = None) -> str:
    return address_of("", api_id)


def keep_draft(api: OutboundApi, stored: Recipe | None, draft: Draft, *, goes_on: bool = True) -> Keeping | None:
    """Keep the draft of a page, and note in it why that is impossible. A deleted API may be brought back.

    goes_on: if the draft has ended, keep it under a new id, since the page is shown again.
    """
    if api.deleted_at:
        draft.not_kept = _("This API was deleted meanwhile. Bring it back on the list of APIs to go on with it.")
    saved = Draft.of(api, stored or NEW)
    try:
        keeping = kept_drafts.keep(api, saved, draft)
        if goes_on and keeping is Keeping.ENDED:
            keeping = kept_drafts.keep(api, saved, draft)
    except QuotaExceeded as full:
        draft.not_kept = str(full)
    except AccountGone:
        raise
    except Gone:
        draft.not_kept = _("This API is deleted for good.")
    else:
        return keeping
    return None


def context_of(editor: Editor, stored: Recipe | None, names: list[str] | None = None) -> dict[str, Any]:
    is_new = editor.api._state.adding
    if names is None:
        names = placeholders(stored) if stored else []
        names += [name for name in editor.draft.samples if name not in names]
    api_id = None if is_new else editor.api.pk
    return {
        "editor": editor,
        "is_new": is_new,
        "is_unreadable": not is_new and stored is None,
        "titles": TITLES.items(),
        "current": editor.draft.part if editor.draft.part in TITLES else "parameters",
        "samples": [(name, editor.draft.samples.get(name, "")) for name in names],
        "save_url": address_of("", api_id),
        "rows_url": address_of("rows", api_id),
        "test_url": address_of("test", api_id),
        "draft_url": address_of("keep-draft", api_id),
        "discard_url": address_of("discard-changes", api_id),
        "command": curl.write(stored) if stored else "",
        "calls": latest_calls(editor.api),
    }


def kept_response(request: LoggedInRequest, rows_url: str) -> dict[str, Any]:
    """Return what the page shows of the test that it showed before it was posted."""
    return kept_context(request.user, request.POST.get("log", ""), submitting_to(rows_url))
