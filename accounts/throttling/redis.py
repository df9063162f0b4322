"""Django's cache in Redis, of which one thread of a process asks at a time: where it hangs, it holds up no more.

Loaded only where `CACHE_URL` names it: the client takes a tenth of a second to load.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import InvalidResponse, RedisError

from accounts.throttling import breaker


class Client(redis.Redis):
    """A command, or a transaction with all its commands, is one turn. No pipeline outside a transaction is bounded."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with _turn():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def transaction(self, *args: Any, **options: Any) -> Any:
        with _turn():
            return super().transaction(*args, **options)


class CacheClient(RedisCacheClient):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._client = Client


class Cache(RedisCache):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._class = CacheClient


@contextmanager
def _turn() -> Iterator[None]:
    with breaker.cache.turn():
        try:
            yield
        except (RedisError, breaker.OutOfReach):
            raise
        except Exception as error:
            # The client's parser fails in many ways at what is no answer of Redis.
            raise InvalidResponse(f"It has sent what is no answer: {error!r}") from error
