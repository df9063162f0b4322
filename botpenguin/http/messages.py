"""Messages for the next page: Django's cookie, by a name that under HTTPS has browsers take it from this host alone."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class Cookie(CookieStorage):
    cookie_name = "__Host-messages" if settings.HTTPS else "messages"


class Storage(FallbackStorage):
    """Use the session for what a cookie cannot hold: each message there is two writes, and a stranger's a row."""

    storage_classes = (Cookie, SessionStorage)
