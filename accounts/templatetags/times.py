"""Times and clients in the words of the pages: "3 minutes ago", "today, 14:02", "Firefox, macOS"."""

import re
from datetime import date, datetime, timedelta
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.web.clients import describe_user_agent

register = template.Library()

# Matches "Firefox, macOS", "python-requests 2.32", "curl 8.5", but no dot that could make a host name.
PLAIN_CLIENT = re.compile(
    r"[A-Za-z][\w+-]{0,39}( [\w+-]{1,20}){0,3}(, [\w+ -]{1,40})?|[A-Za-z][\w+-]{0,39} [0-9]{1,4}\.[0-9]{1,4}"
)


def date_text(at: date, pattern: str) -> str:
    """Format a date in the current language: Django takes 20 µs each time, and a list has many of few days."""
    return _date_text(at.year, at.month, at.day, pattern, get_language())


@lru_cache(maxsize=4096)
def _date_text(year: int, month: int, day: int, pattern: str, _language: str | None) -> str:
    return date_format(date(year, month, day), pattern)


@register.filter
def ago(at: datetime) -> str:
    """Return how long ago a time was, in its largest unit: "Just now", "39 minutes ago", "2 days ago"."""
    now = timezone.now()
    if now - at < timedelta(minutes=1):
        return _("Just now")
    return _("%(time)s ago") % {"time": timesince(at, now, depth=1)}


@register.filter
def clock(at: datetime) -> str:
    """Return the time of day, with the date unless it is today: "14:02", "19 Nov, 09:47".

    Adds the zone in the hour that comes twice, when clocks are set back: "25 Oct, 02:30 CEST".
    """
    local, today = timezone.localtime(at), timezone.localdate()
    comes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    zone = f" {local.tzname()}" if comes_twice else ""
    if local.date() == today:
        return date_format(local, "H:i") + zone
    return date_format(local, "j M, H:i" if local.year == today.year else "j M Y, H:i") + zone


@register.filter
def day_and_clock(at: datetime) -> str:
    """Return what `clock` does, with "today" for today: "today, 14:02"."""
    is_today = timezone.localtime(at).date() == timezone.localdate()
    return _("today, %(time)s") % {"time": clock(at)} if is_today else clock(at)


@register.filter
def at_clock(at: datetime) -> str:
    """Return a time for use inside a sentence: "today at 14:02", "on 19 Nov, 09:47"."""
    is_today = timezone.localtime(at).date() == timezone.localdate()
    return (_("today at %(time)s") if is_today else _("on %(time)s")) % {"time": clock(at)}


@register.filter
def exact(at: datetime) -> str:
    """Return a time to the second, with its zone: "24 November 2026, 14:02:09 CET"."""
    local = timezone.localtime(at)
    # Django's own format for the zone is empty in the hour that comes twice.
    return f"{date_text(local, 'j F Y')}, {local:%H:%M:%S} {local.tzname()}"


@register.filter
def client(user_agent: str | None) -> str:
    return describe_user_agent(user_agent or "")


@register.filter
def plain_client(user_agent: str | None) -> str:
    """Name the client for a mail, or return "" where the name could be read as a sentence or a link."""
    name = client(user_agent)
    return name if PLAIN_CLIENT.fullmatch(name) else ""
