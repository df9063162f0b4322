"""Filters for what people wrote or named, inside of the sentences of a page."""

import re

from django import template
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe

from accounts.web.isolates import isolated

register = template.Library()
register.filter("isolated", isolated)
# Between a mark of a URL or an email and what follows it.
AFTER_MARKS = re.compile(r"(?<=[/?&=@.])(?![/?&=@.]|\Z)")


@register.filter
def breakable(address: str) -> SafeString:
    """Let a URL or an email break after its marks, so that its words break only where they must."""
    return mark_safe("<wbr>".join(map(escape, AFTER_MARKS.split(address))))  # noqa: S308


@register.filter
def named(sentence: str, name: object) -> SafeString:
    """Put a name into a sentence in place of {name}: lists translate the sentence once, and not in each row."""
    return mark_safe(conditional_escape(sentence).replace("{name}", conditional_escape(isolated(name))))  # noqa: S308


@register.filter
def numbered(sentence: str, number: int) -> SafeString:
    """Put a number into a sentence in place of {number}."""
    return mark_safe(conditional_escape(sentence).replace("{number}", str(number)))  # noqa: S308
