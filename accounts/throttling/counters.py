"""Counts of tries: at most so many within a window, exactly, by all threads, processes and machines together.

A window opens with the first try in it, lasts its time, and ends for all its tries alike. A try that is
refused changes nothing, so being refused prolongs nothing. Within the time of one window, across the end
of one and the beginning of the next, at most twice the limit less one can pass; in the long run, the limit
in each. A list of moments would bound every stretch alike. It would have to be read, changed and written
back under a lock, where a count is one statement, and a number: reading it runs nothing.

Where Redis is the cache, counts are there, as integers. It may evict what it keeps, and a restart empties
it. So a window of more than an hour, in which a new one would be worth much, is in the database always.

A count that nobody here has written (no number, without an end, or one further off than any clock is
wrong) is read as none.
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
# Of rows that have ended, so many are deleted for each new one.
EXPIRED_FOR_A_NEW_ONE = 2
# What Redis answers where a list or a set stands in the place of a text.
NO_TEXT = "WRONGTYPE"


def name_of(action: str, text: str) -> str:
    """Name a count: an HMAC, since the text names addresses and people, and may hold anything."""
    return f"{action}:{salted_hmac('accounts.throttling.counters', text, algorithm='sha256').hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` tries in a window of so many seconds."""

    name: str
    amount: int
    seconds: float

    @property
    def length(self) -> int:
        """The window's, in milliseconds."""
        return int(self.seconds * 1000)

    def take(self) -> int | None:
        """Count a try, and return when that was done, for `give_back`; None where it is one too many."""
        return _store(self).take(self) if self.amount > 0 else None

    def give_back(self, taken_at: int) -> None:
        """Undo what `take` has counted then, if its window still lasts."""
        _store(self).give_back(self, taken_at)

    def is_free(self) -> bool:
        """Tell whether one more try would be counted."""
        return self.amount > 0 and _store(self).left(self) <= 0

    def seconds_left(self) -> int:
        """Return when the next try is counted: at least a second, as when too many came in the same instant."""
        return max(1, -(-_store(self).left(self) // 1000))

    def clear(self) -> None:
        _store(self).clear(self)


class DatabaseCounts:
    """Counts in a table of ours: one statement for a count that is there, which the database does one after another."""

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
        # Of many who find no row, one makes it, and all count in it.
        Counter.objects.bulk_create(
            [Counter(name=limit.name, count=0, ends_at=at + limit.length)], ignore_conflicts=True
        )
        _make_room()
        return now() if one_more() else None

    def give_back(self, limit: Limit, taken_at: int) -> None:
        # Windows do not overlap: one that ends later than this has opened since.
        same_window = self._own(limit).filter(ends_at__gt=now(), ends_at__lte=taken_at + limit.length)
        same_window.filter(count__range=(1, limit.amount)).update(count=F("count") - 1)

    def left(self, limit: Limit) -> int:
        """Return how long the limit remains reached, in milliseconds; 0 where it is not."""
        at = now()
        reached = self._own(limit).filter(self._is_open(limit, at), count__gte=limit.amount)
        return (reached.values_list("ends_at", flat=True).first() or at) - at

    def clear(self, limit: Limit) -> None:
        self._own(limit).delete()

    def _own(self, limit: Limit) -> Any:
        return Counter.objects.filter(name=limit.name)

    def _is_open(self, limit: Limit, at: int) -> Q:
        # Twice: the clock of the node that opened it may be ahead of ours.
        return Q(ends_at__gt=at, ends_at__lte=at + 2 * limit.length)


class RedisCounts:
    """Counts as integers that Redis forgets at their end. What others do meanwhile has a step begin anew."""

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
            # Asked for first: what the answer takes must not make the window seem a later one.
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
        # Loaded by the client already; where there is no Redis, nobody pays for it.
        from redis.exceptions import ResponseError  # noqa: PLC0415

        try:
            count, left = int(pipe.get(self._key(limit.name))), int(pipe.pttl(self._key(limit.name)))
        except (TypeError, ValueError):  # none, or no number
            return 0, 0
        except ResponseError as error:
            if not str(error).startswith(NO_TEXT):
                raise  # it refuses to say: then nobody may try
            return 0, 0
        return (count, left) if count >= 0 and 0 < left <= limit.length else (0, 0)


def _store(limit: Limit) -> DatabaseCounts | RedisCounts:
    store = caches[DEFAULT_CACHE_ALIAS]
    if isinstance(store, RedisCache) and limit.seconds <= LONGEST_IN_REDIS:
        return RedisCounts(store)
    return DatabaseCounts()


def forget_all() -> None:
    """Empty the cache and all counts. Raises `OSError` where that cannot be done."""
    try:
        cache.clear()
    except Exception as error:
        raise OSError(f"the cache cannot be emptied: {error}") from error
    for table in (Counter, CachedValue):
        table._default_manager.all().delete()


def _make_room() -> None:
    """Delete a few rows that have ended: unknown browsers make new ones faster than housekeeping comes, once a day.

    The table so holds little more than what is still counted, and nothing that is counted ever goes to make room.
    """
    ended = Counter.objects.filter(ends_at__lte=now())
    if ended.exists():
        with transaction.atomic():
            held = ended.select_for_update(skip_locked=True).values_list("pk", flat=True)
            ended.filter(pk__in=list(held[:EXPIRED_FOR_A_NEW_ONE])).delete()


def forget_ended() -> Iterator[int]:
    """Delete the rows that have ended, and yield how many, batch by batch. Redis forgets by itself."""
    for table in (Counter, CachedValue):
        yield from delete_in_batches(table._default_manager.filter(ends_at__lte=now()))
