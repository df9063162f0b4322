"""The WSGI application that Granian serves."""

import os

from django.core.wsgi import get_wsgi_application

from developers import vault

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botpenguin.settings")

application = get_wsgi_application()

# Django's checks do not run under WSGI: a weak ring must stop the start, not the first request.
vault.ring()
