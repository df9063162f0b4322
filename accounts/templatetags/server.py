"""Settings of this server that pages depend on."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def sign_up_is_open() -> bool:
    return bool(settings.SIGN_UP)


@register.simple_tag
def mail_is_set_up() -> bool:
    return bool(settings.MAIL_IS_SET_UP)
