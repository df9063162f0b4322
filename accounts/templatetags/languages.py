"""The switch of languages, which needs no script."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest
from django.utils.translation import get_language

from accounts.web.actions import page_of

register = template.Library()


@register.simple_tag(takes_context=True)
def language_switch(context: dict[str, Any]) -> dict[str, Any]:
    """Return the languages, the current one, and the page to return to with what it would send people to in turn."""
    request: HttpRequest = context["request"]
    page, onward = page_of(request), request.POST.get(REDIRECT_FIELD_NAME)
    current = get_language()
    return {
        "is_offered": len(settings.LANGUAGES) > 1,
        "languages": settings.LANGUAGES,
        "code": current,
        "name": dict(settings.LANGUAGES).get(current or ""),
        "next": f"{page}?{urlencode({REDIRECT_FIELD_NAME: onward})}" if onward else page,
    }
