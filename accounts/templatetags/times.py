"""Times and clients in the words of the pages: "3 minutes ago", "today, 14:02", "Firefox, macOS"."""

import re
from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from accounts.web.clients import describe_user_agent

register = template.Library()

# "Firefox, macOS", "python-requests 2.32", "curl 8.5", and no dot that would make an address of it.
PLAIN_CLIENT = re.compile(
    r"[A-Za-z][\w+-]{0,39}( [\w+-]{1,20}){0,3}(, [\w+ -]{1,40})?|[A-Za-z][\w+-]{0,39} [0-9]{1,4}\.[0-9]{1,4}"
)


@register.filter
def ago(moment: datetime) -> str:
    """Say how long ago a moment was, in its largest unit: "Just now", "39 minutes ago", "2 days ago"."""
    now = timezone.now()
    if now - moment < timedelta(minutes=1):
        return _("Just now")
    return _("%(time)s ago") % {"time": timesince(moment, now, depth=1)}


@register.filter
def clock(moment: datetime) -> str:
    """Tell the time of a moment today, and the date too of any other: "14:02", "19 Nov, 09:47".

    With its zone in the hour that comes twice, when clocks are put back: "25 Oct, 02:30 CEST".
    """
    local, today = timezone.localtime(moment), timezone.localdate()
    comes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    zone = f" {local.tzname()}" if comes_twice else ""
    if local.date() == today:
        return date_format(local, "H:i") + zone
    return date_format(local, "j M, H:i" if local.year == today.year else "j M Y, H:i") + zone


@register.filter
def day_and_clock(moment: datetime) -> str:
    """As `clock`, with the day said for today too: "today, 14:02"."""
    is_today = timezone.localtime(moment).date() == timezone.localdate()
    return _("today, %(time)s") % {"time": clock(moment)} if is_today else clock(moment)


@register.filter
def at_clock(moment: datetime) -> str:
    """A moment inside a sentence: "today at 14:02", "on 19 Nov, 09:47"."""
    is_today = timezone.localtime(moment).date() == timezone.localdate()
    return (_("today at %(time)s") if is_today else _("on %(time)s")) % {"time": clock(moment)}


@register.filter
def exact(moment: datetime) -> str:
    """Tell a moment to the second, with its zone: "24 November 2026, 14:02:09 CET"."""
    local = timezone.localtime(moment)
    # Django's own format of the zone is empty in the hour that comes twice.
    return f"{date_format(local, 'j F Y, H:i:s')} {local.tzname()}"


@register.filter
def client(user_agent: str | None) -> str:
    return describe_user_agent(user_agent or "")


@register.filter
def plain_client(user_agent: str | None) -> str:
    """Name the client for a mail, unless the name that it chose might pass for a sentence or for a link."""
    name = client(user_agent)
    return name if PLAIN_CLIENT.fullmatch(name) else ""
