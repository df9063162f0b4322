"""Drafts of the editor: keeping one while somebody types, Cancel, Discard and Undo."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from accounts.web.actions import action
from accounts.web.formats import clock
from accounts.web.requests import LoggedInRequest, takes_long_forms
from accounts.web.undo import offer_undo
from developers.outbound import call_drafts
from developers.outbound.call_drafts import CallDraft
from developers.outbound.editor.drafts import Draft
from developers.outbound.editor.kept_drafts import Keeping
from developers.outbound.views.apis import PAGE
from developers.outbound.views.editor_page import find_api, keep_draft, page_of_editor


@takes_long_forms
@action(page_of_editor)
@never_cache
@sensitive_post_parameters()
def keep(request: LoggedInRequest, api_id: str | None = None) -> HttpResponse:
    """Keep what is on the screen; answer with the id of its draft, and what the page says about it.

    After the draft has ended nothing is kept, and the id is a new one: only a page that is still open asks again.
    """
    if request.POST.get("owner", "") not in ("", str(request.user.pk)):
        # Somebody else has logged in since the page was shown.
        return JsonResponse({}, status=HTTPStatus.CONFLICT)
    api, stored = find_api(request, api_id)
    draft = Draft.posted(request.POST)
    keeping = keep_draft(api, stored, draft, goes_on=False)
    saved = _("Draft saved %(time)s") % {"time": clock(draft.kept_at)} if draft.kept_at else ""
    has_ended = keeping is Keeping.ENDED
    return JsonResponse(
        {
            "draft": draft.public_id,
            "has_ended": has_ended,
            "sentence": draft.not_kept or saved,
            "is_bad": bool(draft.not_kept),
        }
    )


@require_safe
@never_cache
def request_token(request: LoggedInRequest) -> HttpResponse:
    """Answer with the CSRF token of a new log-in, and its account, for a page that is still open from before."""
    return JsonResponse({"token": get_token(request), "owner": request.user.pk})


@takes_long_forms
@action(page_of_editor)
@never_cache
@sensitive_post_parameters()
def discard_changes(request: LoggedInRequest, api_id: str | None = None) -> HttpResponse:
    """Cancel: discard what is on the screen, offer to undo that, and go to the list."""
    api, stored = find_api(request, api_id)
    draft = Draft.posted(request.POST)
    is_kept = keep_draft(api, stored, draft) is Keeping.KEPT
    call_drafts.end(request.user.pk, draft.public_id, is_saved=False)
    if is_kept:
        _offer_undo(request, draft.public_id)
    return redirect(PAGE)


@action(PAGE)
@never_cache
def discard_draft(request: LoggedInRequest, draft_id: str) -> HttpResponse:
    """Discard a draft that a page offers, offer to undo that, and go back to the page."""
    found = CallDraft.objects.owned_by(request.user).current().with_id(draft_id).first()
    call_drafts.end(request.user.pk, draft_id, is_saved=False)
    if found:
        _offer_undo(request, draft_id)
    if "on_list" in request.POST or not found:
        return redirect(PAGE)
    return redirect(page_of_editor(found.api_id))


@action(PAGE)
@never_cache
def restore_draft(request: LoggedInRequest, draft_id: str) -> HttpResponse:
    """Bring back a discarded draft, and open it."""
    found = call_drafts.bring_back(request.user.pk, draft_id)
    if found is None:
        messages.error(request, _("These changes are gone: they were discarded more than 10 minutes ago."))
        return redirect(PAGE)
    return redirect(f"{page_of_editor(found.api_id)}?draft={draft_id}")


def _offer_undo(request: LoggedInRequest, draft_id: str) -> None:
    offer_undo(request, _("Your changes are discarded."), reverse("developers:outbound:restore-draft", args=[draft_id]))
