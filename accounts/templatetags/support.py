"""The tag `support`: whom people can write to, and within how many business hours they get an answer."""

from typing import Any

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def support() -> dict[str, Any]:
    return {"email": settings.SUPPORT_EMAIL, "hours": settings.SUPPORT_ANSWER_HOURS}
