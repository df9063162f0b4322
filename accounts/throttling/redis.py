"""Django's Redis cache, used by one thread of a process at a time: if Redis hangs, only that thread waits.

Loaded only where `CACHE_URL` names it, since the client takes a tenth of a second to load.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import InvalidResponse, RedisError

from accounts.throttling import breaker


class GuardedRedis(redis.Redis):
    """Guards each command, and each transaction as a whole. Pipelines outside of `transaction` are not guarded."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with _guard():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def transaction(self, *args: Any, **options: Any) -> Any:
        with _guard():
            return super().transaction(*args, **options)


class CacheClient(RedisCacheClient):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._client = GuardedRedis


class Cache(RedisCache):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._class = CacheClient


@contextmanager
def _guard() -> Iterator[None]:
    with breaker.cache.guard():
        try:
            yield
        except (RedisError, breaker.OutOfReach):
            raise
        except Exception as error:
            # The client's parser raises many kinds of errors for an answer that is not of Redis.
            raise InvalidResponse(f"It has sent what is no answer: {error!r}") from error
