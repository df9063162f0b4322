"""Django's cache without pickles: a client that can write to the cache must not run code by it.

Values are JSON, so a tuple comes back as a list. A value that is no JSON counts as missing.
"""

import json
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache, default_key_func
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from accounts.throttling.models import CachedValue, Counter, now

# Never, within what the column holds.
FOREVER = 1 << 62


def make_key(key: str, key_prefix: str, version: int) -> str:
    """Return the key of a value in the cache. allauth's keys hold addresses and codes, so they become an HMAC."""
    if key.startswith("allauth"):
        key = "allauth:" + salted_hmac("accounts.throttling.cache", key, algorithm="sha256").hexdigest()
    return default_key_func(key, key_prefix, version)


class JSONSerializer:
    """The serializer for Django's Redis cache. Integers stay as they are, since Redis counts them itself."""

    def dumps(self, value: Any) -> str | int:
        return value if type(value) is int else json.dumps(value)

    def loads(self, text: str | bytes) -> Any:
        return read(text)


class DatabaseCache(BaseCache):
    """Django's cache in a table. `clear` also empties the table of `accounts.throttling.counters`."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        own, row = self._own(key, version), self._row(value, timeout)
        # Of concurrent requests that replace an expired value, one succeeds.
        if own.filter(ends_at__lte=now()).update(**row):
            return True
        _, is_new = CachedValue.objects.get_or_create(key=self.make_and_validate_key(key, version), defaults=row)
        return is_new

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        text = self._own(key, version).filter(ends_at__gt=now()).values_list("value", flat=True).first()
        return default if text is None else read(text, default)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        row = CachedValue(key=self.make_and_validate_key(key, version), **self._row(value, timeout))
        CachedValue.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["key"], update_fields=["value", "ends_at"]
        )

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._own(key, version).filter(ends_at__gt=now()).update(ends_at=self._ends_at(timeout)))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._own(key, version).delete()[0])

    def clear(self) -> None:
        CachedValue.objects.all().delete()
        Counter.objects.all().delete()

    def _own(self, key: Any, version: int | None) -> QuerySet[CachedValue]:
        return CachedValue.objects.filter(key=self.make_and_validate_key(key, version))

    def _row(self, value: Any, timeout: Any) -> dict[str, Any]:
        return {"value": json.dumps(value), "ends_at": self._ends_at(timeout)}

    def _ends_at(self, timeout: Any) -> int:
        seconds = self.get_backend_timeout(timeout)
        return FOREVER if seconds is None else int(seconds * 1000)


def read(text: str | bytes, default: Any = None) -> Any:
    """Return the value of a JSON text, or the default where it is not JSON or nested too deeply."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return default
