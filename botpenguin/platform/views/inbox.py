"""The page Inbox: contacts, by search and by segment, and the segments."""

from typing import Any

from django.contrib import messages
from django.db.models import Exists, Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.email_addresses import shown
from accounts.models import User
from accounts.orm.object_ids import OBJECT_ID
from accounts.text import normalize
from accounts.web.actions import action
from accounts.web.formats import day, exact
from accounts.web.isolates import isolated
from accounts.web.links import add_links
from accounts.web.pagination import paged
from accounts.web.requests import LoggedInRequest
from botpenguin.platform import quotas
from botpenguin.platform.forms import SegmentForm
from botpenguin.platform.models import ContactQuerySet, ContactTag, Segment
from botpenguin.platform.usages import NamedBot, Overview, overview
from botpenguin.platform.views.tags import written

PAGE = "platform:inbox"
# Each may have 5 KB of tags.
MOST_SEGMENTS = 500
NOTHING = "–"


@require_safe
@never_cache
def inbox(request: LoggedInRequest) -> HttpResponse:
    return _inbox(request, SegmentForm())


@require_safe
@never_cache
def contact(request: LoggedInRequest, contact_id: str) -> HttpResponse:
    contact = get_object_or_404(request.user.contacts.select_related("bot").with_tags(), pk=contact_id)
    tags = [tag.name for tag in contact.tags.all()]
    segments = [segment for segment in request.user.segments.all()[:MOST_SEGMENTS] if segment.holds(tags)]
    context = {"contact": contact, "tags": written(tags), "segments": segments}
    return render(request, "platform/contact.html", context)


@action(PAGE)
@never_cache
def add_segment(request: LoggedInRequest) -> HttpResponse:
    """Create a segment and show its contacts, or show the form with its errors."""
    form = SegmentForm(request.POST)
    segment = form.add_to(request.user) if form.is_valid() else None
    if segment is None:
        return _inbox(request, form)
    messages.success(
        request, _("Segment %(segment)s is added. These are its contacts.") % {"segment": isolated(segment)}
    )
    return _back_to_inbox(segment=segment.pk)


@action(PAGE)
@never_cache
def remove_segment(request: LoggedInRequest, segment_id: str) -> HttpResponse:
    segment = get_object_or_404(request.user.segments, pk=segment_id)
    segment.delete()
    messages.success(request, _("Segment %(segment)s is removed. Its contacts stay.") % {"segment": isolated(segment)})
    return _back_to_inbox()


def _inbox(request: LoggedInRequest, form: SegmentForm) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    segments = list(request.user.segments.all()[:MOST_SEGMENTS])
    segment = _chosen(request, segments)
    bot, contacts, counted = _of_bot(request, _contacts(request.user, text, segment))
    page = paged(request, contacts, counted.found)
    page["page"].object_list = _rows(page["page"].object_list)
    filters: dict[str, Any] = {"q": text, "segment": segment, "segments": segments, "bot": bot, "bots": counted.bots}
    filters |= {"form": form, "usages": counted.usages}
    filters["segments_usage"] = quotas.SEGMENTS.usage(
        len(segments) if len(segments) < MOST_SEGMENTS else request.user.segments.count()
    )
    return render(request, "platform/inbox.html", page | filters)


def _chosen(request: LoggedInRequest, segments: list[Segment]) -> Segment | None:
    asked_for = request.GET.get("segment", "")
    listed = {segment.pk: segment for segment in segments}.get(normalize(asked_for))
    if listed or len(segments) < MOST_SEGMENTS:
        return listed
    return request.user.segments.with_id(asked_for).first()


def _of_bot(request: LoggedInRequest, contacts: ContactQuerySet) -> tuple[NamedBot | None, ContactQuerySet, Overview]:
    """Filter by the bot that the URL names. One that is not the account's filters nothing."""
    asked_for = normalize(request.GET.get("bot", ""))
    if not OBJECT_ID.fullmatch(asked_for):
        return None, contacts, overview(request.user, contacts)
    # One query counts for both cases.
    is_theirs = Exists(request.user.bots.filter(pk=asked_for, is_deleted=False))
    counted = overview(request.user, contacts.filter(Q(bot=asked_for) | ~is_theirs), asked_for)
    bot = {bot.pk: bot for bot in counted.bots}.get(asked_for)
    return bot, contacts.filter(bot=asked_for) if bot else contacts, counted


def _contacts(owner: User, text: str, segment: Segment | None) -> ContactQuerySet:
    contacts = owner.contacts.newest_first()
    if segment:
        contacts = contacts.tagged(segment.tags)
    return contacts.mentioning(text) if text else contacts


def _rows(contacts: ContactQuerySet) -> list[dict[str, Any]]:
    """Return what the list shows, as dictionaries, which templates read faster than objects."""
    found = list(contacts.only("owner", "name", "email", "phone", "phone_prefix", "created_at"))
    tags = ContactTag.objects.names([contact.pk for contact in found]) if found else {}
    rows = []
    for contact in found:
        at = timezone.localtime(contact.created_at)
        rows.append(
            {
                "id": contact.pk,
                "name": str(contact),
                "email": shown(contact.email),
                "number": contact.number or NOTHING,
                "tags": written(tags.get(contact.pk, ())) or NOTHING,
                "iso": at.isoformat(),
                "exact": exact(at),
                "day": day(at),
            }
        )
    add_links(rows, address="platform:contact")
    return rows


def _back_to_inbox(**query: str) -> HttpResponse:
    chosen = QueryDict(mutable=True)
    chosen.update(query)
    return redirect(f"{reverse(PAGE)}?{chosen.urlencode()}" if query else PAGE)
