"""Django's cache without pickles: whoever can write to a cache must not run code by it.

Values are JSON, so a tuple comes back as a list. What is no JSON was not written here, and is read as nothing.
"""

import json
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache, default_key_func
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from accounts.throttling.models import CachedValue, Counter, now

# As good as never, and within the column.
FOREVER = 1 << 62


def make_key(key: str, key_prefix: str, version: int) -> str:
    """Make the name under which a cache keeps a value: an HMAC of allauth's, which hold addresses and codes."""
    if key.startswith("allauth"):
        key = "allauth:" + salted_hmac("accounts.throttling.cache", key, algorithm="sha256").hexdigest()
    return default_key_func(key, key_prefix, version)


class JSONSerializer:
    """For Django's cache in Redis. It counts integers itself, so they stay what they are."""

    def dumps(self, value: Any) -> str | int:
        return value if type(value) is int else json.dumps(value)

    def loads(self, text: str | bytes) -> Any:
        return read(text)


class DatabaseCache(BaseCache):
    """Django's cache in a table of ours. `accounts.throttling.counters` has a table of its own, emptied with it."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        own, row = self._own(key, version), self._row(value, timeout)
        # Of many who take over at once what has run out, one does.
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
    """Return what a JSON text says; the default where it is none, or one of a depth that nobody writes."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return default
