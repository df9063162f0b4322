"""The editor: sets up, tests and saves an API on one page."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.web.isolates import isolated
from accounts.web.requests import LoggedInRequest, takes_long_forms
from developers.outbound import curl
from developers.outbound.editor import kept_drafts
from developers.outbound.editor.drafts import Draft
from developers.outbound.editor.editor import Editor
from developers.outbound.editor.forms import CurlForm
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe
from developers.outbound.views.editor_page import (
    NEW,
    TEMPLATE,
    context_of,
    find_api,
    keep_draft,
    kept_response,
)


@takes_long_forms
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters()
def editor(request: LoggedInRequest, api_id: str | None = None) -> HttpResponse:
    """Show an API, or an empty one, and save it."""
    api, stored = find_api(request, api_id)
    if request.method != "POST":
        return _show(request, api, stored)
    draft = Draft.posted(request.POST)
    kept_drafts.recall(api, draft)
    editor = Editor(api, stored, draft, is_checked=True)
    if editor.is_valid() and editor.save():
        messages.success(request, _("%(api)s is saved.") % {"api": isolated(api)})
        return redirect("developers:outbound:api", api_id=api.pk)
    keep_draft(api, stored, draft)
    context = context_of(editor, stored)
    return render(request, TEMPLATE, context | kept_response(request, context["rows_url"]))


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
            draft = Draft.of(api, read.recipe, is_stored=False)
            keep_draft(api, None, draft)
            editor = Editor(api, None, draft)
            return render(request, TEMPLATE, context_of(editor, None) | {"imported": read})
    return render(request, "developers/outbound/import_curl.html", {"form": form})


def _show(request: LoggedInRequest, api: OutboundApi, stored: Recipe | None) -> HttpResponse:
    """Show what is saved, or the draft that is asked for, and offer the other drafts."""
    draft, wanted = Draft.of(api, stored or NEW), request.GET.get("draft")
    if wanted is not None:
        found = kept_drafts.open_draft(api, wanted)
        if found is None:
            messages.warning(request, _("These changes are gone: they were saved or discarded, or are a week old."))
            return redirect(request.path)
        draft = found
    saved_api = None if api._state.adding else api
    offers = [offer for offer in kept_drafts.offers(request.user.pk, saved_api) if offer.public_id != wanted]
    return render(request, TEMPLATE, context_of(Editor(api, stored, draft), stored) | {"offers": offers})
