"""Django's handler for the peers: behind the middleware that an API needs, behind all of it, and without any."""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

django.setup()

# Ids and log, the end of connections, unread bodies, proxies, security headers, turns of bulk work.
OF_AN_API = settings.MIDDLEWARE[:6]

with override_settings(MIDDLEWARE=OF_AN_API):
    peers = WSGIHandler()
# As our API itself ran in 0.1.0.
whole = WSGIHandler()
with override_settings(MIDDLEWARE=[]):
    bare = WSGIHandler()
