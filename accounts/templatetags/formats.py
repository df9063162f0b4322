"""Filters for what people read in the form of their language, and for the names of clients: "Firefox, macOS"."""

import re
from collections.abc import Iterable

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from accounts.web import formats
from accounts.web.clients import describe_user_agent

register = template.Library()

# Matches "Firefox, macOS", "python-requests 2.32", "curl 8.5", but no dot that could make a host name.
PLAIN_CLIENT = re.compile(
    r"[A-Za-z][\w+-]{0,39}( [\w+-]{1,20}){0,3}(, [\w+ -]{1,40})?|[A-Za-z][\w+-]{0,39} [0-9]{1,4}\.[0-9]{1,4}"
)

for written in (
    formats.number,
    formats.percent,
    formats.size,
    formats.seconds,
    formats.duration,
    formats.relative,
    formats.ago,
    formats.listed,
    formats.day,
    formats.clock,
    formats.day_and_clock,
    formats.at_clock,
    formats.exact,
):
    register.filter(written.__name__, written)


@register.filter
def names(items: Iterable[object]) -> SafeString:
    """Return an enumeration of what people have named, each in its own direction of writing."""
    # Each is escaped, and CLDR's words between them are no HTML.
    return mark_safe(formats.listed(format_html("<bdi>{}</bdi>", item) for item in items))  # noqa: S308


@register.filter
def client(user_agent: str | None) -> str:
    """Name a client: "Firefox, macOS", "curl 8.5"."""
    name = describe_user_agent(user_agent or "")
    browser, comma, system = name.partition(", ")
    # Translators: a browser and its system, such as "Firefox, macOS".
    return _("%(browser)s, %(system)s") % {"browser": browser, "system": system} if comma else name


@register.filter
def plain_client(user_agent: str | None) -> str:
    """Name the client for a mail, or return "" where the name could be read as a sentence or a link."""
    name = describe_user_agent(user_agent or "")
    return client(user_agent) if PLAIN_CLIENT.fullmatch(name) else ""
