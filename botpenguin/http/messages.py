"""Messages for the next page, in a cookie that under HTTPS has the prefix `__Host-`."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class Cookie(CookieStorage):
    cookie_name = "__Host-messages" if settings.HTTPS else "messages"


class MessageStorage(FallbackStorage):
    """Uses the session only if the cookie is full: each message there costs two writes, and a visitor's one a row."""

    storage_classes = (Cookie, SessionStorage)
