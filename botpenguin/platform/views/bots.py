"""The page Bots: lists, creates, renames and deletes bots."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.orm.owners import changing
from accounts.web.actions import action
from accounts.web.confirmation import is_confirmed
from accounts.web.isolates import isolated
from accounts.web.pagination import paged
from accounts.web.requests import LoggedInRequest
from botpenguin.platform import bot_deletion, quotas
from botpenguin.platform.forms import NewBotForm, RenameBotForm
from botpenguin.platform.models import Bot

PAGE = "platform:bots"


@require_safe
@never_cache
def bots(request: LoggedInRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    found = request.user.bots.mentioning(text) if text else request.user.bots
    page = paged(request, found.with_contact_counts().newest_first())
    usage = None if text else quotas.BOTS.usage(page["page"].paginator.count)
    return render(request, "platform/bots.html", page | {"q": text, "usage": usage})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new_bot(request: LoggedInRequest) -> HttpResponse:
    form = NewBotForm(request.POST or None, instance=Bot(owner=request.user))
    bot = form.add_to(request.user) if form.is_valid() else None
    if bot:
        messages.success(request, _("%(bot)s is created.") % {"bot": isolated(bot)})
        return redirect(PAGE)
    return render(request, "platform/new_bot.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def bot(request: LoggedInRequest, bot_id: str) -> HttpResponse:
    """Show one bot, and rename it."""
    bot = get_object_or_404(request.user.bots.with_contact_counts(), pk=bot_id)
    form = RenameBotForm(request.POST or None, instance=bot)
    # The form changes `bot.name` even if it is invalid; the title shows the stored name.
    title = bot.name
    if request.method == "POST" and form.is_valid():
        with changing(request.user.pk):
            request.user.bots.filter(pk=bot_id).change(name=form.cleaned_data["name"])
        messages.success(request, _("Name saved."))
        return redirect("platform:bot", bot_id=bot_id)
    return render(request, "platform/bot.html", {"bot": bot, "form": form, "title": title})


@action(PAGE)
@never_cache
def delete_bot(request: LoggedInRequest, bot_id: str) -> HttpResponse:
    """Ask for a confirmation, then delete the bot."""
    bot = get_object_or_404(request.user.bots.with_contact_counts(), pk=bot_id)
    if is_confirmed(request):
        bot_deletion.delete(request.user.pk, bot_id)
        messages.success(request, _("%(bot)s is deleted.") % {"bot": isolated(bot)})
        return redirect(PAGE)
    return render(request, "platform/delete_bot.html", {"bot": bot})
