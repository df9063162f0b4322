"""Sends mail by SMTP, and trusts the authorities of `CA_FILE` beside those of the system."""

import ssl
from typing import Any

from django.conf import settings
from django.core.mail.backends import smtp
from django.utils.functional import cached_property

# The types of Django leave the property out.
DJANGOS: Any = smtp.EmailBackend


class EmailBackend(smtp.EmailBackend):
    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        context: ssl.SSLContext = DJANGOS.ssl_context.func(self)
        if settings.CA_FILE:
            context.load_verify_locations(settings.CA_FILE)
        return context
