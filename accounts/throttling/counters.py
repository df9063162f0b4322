"""Counts of attempts in fixed windows, exact over all threads, processes and machines.

A window opens with its first attempt, and ends for all its attempts at once. A refused attempt changes nothing, so it
prolongs nothing. Within the length of one window, across the end of one and the start of the next, at most twice the
limit less one can pass. A list of times would be exact for every stretch, but would have to be read, changed and
written under a lock. A count takes one statement, and is a number: reading it runs no code.

With a Redis cache, counts are integers in Redis. It may evict them, and a restart empties it. So windows of more than
an hour, where a lost count would allow many attempts, are always in the database.

A count that this code cannot have written is ignored: no number, without an end, or with an end too far ahead.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.cache import DEFAULT_CACHE_ALIAS, cache, caches
from django.core.cache.backends.redis import RedisCache
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.utils.crypto import salted_hmac

from accounts.orm.batches import delete_in_batches
from accounts.throttling.models import CachedValue, Counter, now

LONGEST_IN_REDIS = 3600
# This many expired rows are deleted for each new one.
EXPIRED_FOR_A_NEW_ONE = 2
# How the error of Redis begins where the key holds a list or a set.
NO_TEXT = "WRONGTYPE"


def name_of(action: str, text: str) -> str:
    """Return the name of a count: an HMAC, since the text may hold addresses, people and anything else."""
    return f"{action}:{salted_hmac('accounts.throttling.counters', text, algorithm='sha256').hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` attempts in a window of `seconds`."""

    name: str
    amount: int
    seconds: float

    @property
    def length(self) -> int:
        """The length of the window in milliseconds."""
        return int(self.seconds * 1000)

    def take(self) -> int | None:
        """Count an attempt, and return its time for `give_back`; return None over the limit."""
        return _store(self).take(self) if self.amount > 0 else None

    def give_back(self, taken_at: int) -> None:
        """Undo a `take`, if its window still lasts."""
        _store(self).give_back(self, taken_at)

    def is_free(self) -> bool:
        """Return whether one more attempt would be allowed."""
        return self.amount > 0 and _store(self).left(self) <= 0

    def seconds_left(self) -> int:
        """Return the seconds until the next attempt is allowed, at least 1."""
        return max(1, -(-_store(self).left(self) // 1000))

    def clear(self) -> None:
        _store(self).clear(self)


class DatabaseCounts:
    """Counts in a table. An existing count takes one statement, and the database runs these one after another."""

    def take(self, limit: Limit) -> int | None:
        at = now()
        is_open = self._is_open(limit, at)
        free = self._own(limit).filter(~is_open | Q(count__lt=limit.amount))
        one_more = partial(
            free.update,
            count=Case(When(is_open, then=F("count") + 1), default=Value(1)),
            ends_at=Case(When(is_open, then=F("ends_at")), default=Value(at + limit.length)),
        )
        if one_more():
            return now()
        if self.left(limit):
            return None
        # Of concurrent requests that find no row, one inserts it, and all count in it.
        Counter.objects.bulk_create(
            [Counter(name=limit.name, count=0, ends_at=at + limit.length)], ignore_conflicts=True
        )
        _make_room()
        return now() if one_more() else None

    def give_back(self, limit: Limit, taken_at: int) -> None:
        # Windows do not overlap: a window with a later end opened after the attempt.
        same_window = self._own(limit).filter(ends_at__gt=now(), ends_at__lte=taken_at + limit.length)
        same_window.filter(count__range=(1, limit.amount)).update(count=F("count") - 1)

    def left(self, limit: Limit) -> int:
        """Return for how many milliseconds the limit stays reached; 0 where it is not."""
        at = now()
        reached = self._own(limit).filter(self._is_open(limit, at), count__gte=limit.amount)
        return (reached.values_list("ends_at", flat=True).first() or at) - at

    def clear(self, limit: Limit) -> None:
        self._own(limit).delete()

    def _own(self, limit: Limit) -> Any:
        return Counter.objects.filter(name=limit.name)

    def _is_open(self, limit: Limit, at: int) -> Q:
        # Twice the length: the clock of the node that opened the window may be ahead.
        return Q(ends_at__gt=at, ends_at__lte=at + 2 * limit.length)


class RedisCounts:
    """Counts as integers that expire in Redis. A transaction is repeated when another client changes the key."""

    def __init__(self, store: RedisCache) -> None:
        self._client = store._cache.get_client(None, write=True)  # type: ignore[attr-defined]  # the stubs lack it
        self._key: Callable[[str], str] = store.make_key

    def take(self, limit: Limit) -> int | None:
        def count_one(pipe: Any) -> bool:
            count, left = self._read(pipe, limit)
            pipe.multi()
            if left <= 0:
                pipe.set(self._key(limit.name), 1, px=limit.length)
            elif count < limit.amount:
                pipe.set(self._key(limit.name), count + 1, keepttl=True)
            else:
                return False
            return True

        return now() if self._do(limit, count_one) else None

    def give_back(self, limit: Limit, taken_at: int) -> None:
        def count_one_less(pipe: Any) -> None:
            # Computed first: the time of the answer must not make the window seem a later one.
            longest_left = limit.length - (now() - taken_at)
            count, left = self._read(pipe, limit)
            pipe.multi()
            if count > 0 and left <= longest_left:
                pipe.set(self._key(limit.name), count - 1, keepttl=True)

        self._do(limit, count_one_less)

    def left(self, limit: Limit) -> int:
        count, left = self._do(limit, lambda pipe: self._read(pipe, limit))
        return left if count >= limit.amount else 0

    def clear(self, limit: Limit) -> None:
        self._client.delete(self._key(limit.name))

    def _do(self, limit: Limit, step: Callable[[Any], Any]) -> Any:
        return self._client.transaction(step, self._key(limit.name), value_from_callable=True)

    def _read(self, pipe: Any, limit: Limit) -> tuple[int, int]:
        """Return the count and the milliseconds left; 0 and 0 where there is no window."""
        # Imported here, so that a server without Redis does not load it.
        from redis.exceptions import ResponseError  # noqa: PLC0415

        try:
            count, left = int(pipe.get(self._key(limit.name))), int(pipe.pttl(self._key(limit.name)))
        except (TypeError, ValueError):  # missing, or not a number
            return 0, 0
        except ResponseError as error:
            if not str(error).startswith(NO_TEXT):
                raise  # without a count no attempt is allowed
            return 0, 0
        return (count, left) if count >= 0 and 0 < left <= limit.length else (0, 0)


def _store(limit: Limit) -> DatabaseCounts | RedisCounts:
    store = caches[DEFAULT_CACHE_ALIAS]
    if isinstance(store, RedisCache) and limit.seconds <= LONGEST_IN_REDIS:
        return RedisCounts(store)
    return DatabaseCounts()


def forget_all() -> None:
    """Empty the cache and all counts. Raises `OSError` where that fails."""
    try:
        cache.clear()
    except Exception as error:
        raise OSError(f"the cache cannot be emptied: {error}") from error
    for table in (Counter, CachedValue):
        table._default_manager.all().delete()


def _make_room() -> None:
    """Delete a few expired rows: unknown browsers add rows faster than the daily housekeeping deletes them.

    So the table holds little more than live counts, and a live count is never deleted to make room.
    """
    ended = Counter.objects.filter(ends_at__lte=now())
    if ended.exists():
        with transaction.atomic():
            held = ended.select_for_update(skip_locked=True).values_list("pk", flat=True)
            ended.filter(pk__in=list(held[:EXPIRED_FOR_A_NEW_ONE])).delete()


def forget_ended() -> Iterator[int]:
    """Delete expired rows, and yield their number after each batch. Redis expires its own."""
    for table in (Counter, CachedValue):
        yield from delete_in_batches(table._default_manager.filter(ends_at__lte=now()))
