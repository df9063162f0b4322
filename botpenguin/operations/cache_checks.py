"""System check of the Redis or Valkey of `CACHE_URL`: its memory has a bound, and it evicts the oldest counts first."""

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.redis import RedisCache
from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as Caution

# All our keys expire, so the two evict alike. Other policies refuse writes, or evict before old counts a code that was
# just used.
RIGHT_POLICIES = {"allkeys-lru", "volatile-lru"}
NO_ANSWER = "The Redis of CACHE_URL does not say how much memory it may use: {}"
NO_BOUND = "The Redis of CACHE_URL has no maxmemory: it may grow until the system ends it."
FULL = "The Redis of CACHE_URL has the maxmemory-policy noeviction: once it is full, nobody can log in."
OTHER = "The Redis of CACHE_URL has the maxmemory-policy {}: it may evict a second-factor code before old counts."
HINT = "Set `maxmemory 128mb` and `maxmemory-policy volatile-lru`: see docs/deployment.md."


@register(Tags.security, deploy=True)
def check_cache_has_a_bound(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Ask with INFO, which providers allow where they forbid CONFIG."""
    store = caches[DEFAULT_CACHE_ALIAS]
    if not isinstance(store, RedisCache):
        return []
    try:
        memory = store._cache.get_client(None, write=True).info("memory")  # type: ignore[attr-defined]  # the stubs lack it
        bound, policy = int(memory["maxmemory"]), str(memory["maxmemory_policy"])
    except Exception as error:  # noqa: BLE001 - Redis may refuse, or be something else
        hint = "Without it nobody can log in. Its user needs the permission to run INFO for this check."
        return [Caution(NO_ANSWER.format(str(error) or repr(error)), hint=hint, id="botpenguin.W003")]
    if not bound:
        return [Caution(NO_BOUND, hint=HINT, id="botpenguin.W004")]
    if policy in RIGHT_POLICIES:
        return []
    problem = FULL if policy == "noeviction" else OTHER.format(policy)
    return [Caution(problem, hint=HINT, id="botpenguin.W005")]
