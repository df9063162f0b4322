"""The filter `shown` for emails."""

from django import template

from accounts.email_addresses import shown

register = template.Library()
register.filter("shown", shown)
