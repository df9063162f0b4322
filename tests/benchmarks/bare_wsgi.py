"""The same addresses without any middleware: the ceiling."""

import django
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

django.setup()

with override_settings(MIDDLEWARE=[]):
    application = WSGIHandler()
