"""The settings that a scanner is served with: the project's own, without the rate limits that would hide pages."""

from botpenguin.settings import *  # noqa: F403

CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
API_RATE_LIMIT = API_REFUSED_LIMIT = 0
# Of no other server may such a cache be: a system check refuses it.
SILENCED_SYSTEM_CHECKS = ["botpenguin.E003"]
