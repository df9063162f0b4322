"""The tables of counts and of Django's cache.

Times are integers, milliseconds since 1970: a row that was tampered with is compared, never parsed.
"""

import time

from django.db import models


def now() -> int:
    return int(time.time() * 1000)


class Counter(models.Model):
    """The number of attempts under a name in its window. `accounts.throttling.counters` writes these rows."""

    name = models.CharField(max_length=80, primary_key=True)
    count = models.PositiveIntegerField()
    ends_at = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return self.name


class CachedValue(models.Model):
    """A value of Django's cache, as JSON. `accounts.throttling.cache` writes these rows."""

    key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    ends_at = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return self.key
