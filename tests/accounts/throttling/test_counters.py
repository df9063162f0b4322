"""Counts of attempts are exact under concurrency and with tampered rows."""

import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, IntegrityError, ProgrammingError, connection, transaction
from pytest_django.fixtures import Settings
from redis import Redis

from accounts.throttling import counters
from accounts.throttling.counters import Limit, name_of
from accounts.throttling.models import CachedValue, Counter, now
from tests.redis import in_redis
from tests.server import free_port
from tests.test_races import at_once

pytestmark = pytest.mark.django_db

MINUTE, DAY = 60_000, 86_400_000


class TouchFile:
    """Runs when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def limit(amount: int = 3, seconds: float = 60) -> Limit:
    return Limit(name_of("password_attempt", "somebody"), amount, seconds)


def tries(times: int, of: Limit) -> list[bool]:
    return [of.take() is not None for _ in range(times)]


@pytest.mark.usefixtures("store")
def test_so_many_tries_are_counted_and_the_rest_refused_until_the_window_ends() -> None:
    answers = tries(5, limit())

    assert answers == [True] * 3 + [False] * 2
    assert (limit().is_free(), limit().seconds_left()) == (False, 60)
    assert tries(1, Limit(name_of("password_attempt", "somebody else"), 3, 60)) == [True]


@pytest.mark.usefixtures("store")
def test_a_limit_that_nobody_has_used_is_free() -> None:
    assert (limit().is_free(), limit().seconds_left()) == (True, 1)


@pytest.mark.usefixtures("store")
def test_a_limit_of_nothing_refuses_everything() -> None:
    assert (tries(1, limit(0)), limit(0).is_free()) == ([False], False)


@pytest.mark.usefixtures("store")
def test_an_attempt_that_is_given_back_can_be_made_again_once() -> None:
    taken_at = [limit().take() for _ in range(3)]
    assert taken_at[2] is not None

    limit().give_back(taken_at[2])

    assert tries(2, limit()) == [True, False]


@pytest.mark.usefixtures("store")
def test_no_more_attempts_are_given_back_than_were_counted() -> None:
    taken_at = limit().take()
    assert taken_at is not None

    for _ in range(3):
        limit().give_back(taken_at)

    assert tries(4, limit()) == [True] * 3 + [False]


@pytest.mark.usefixtures("store")
def test_an_attempt_of_an_earlier_window_is_not_given_back_in_this_one() -> None:
    tries(3, limit())

    limit().give_back(now() - MINUTE - 1)

    assert tries(1, limit()) == [False]


@pytest.mark.usefixtures("store")
def test_forgetting_a_limit_forgets_no_other() -> None:
    other = Limit(name_of("password_attempt", "somebody else"), 3, 60)
    tries(3, limit())
    tries(3, other)

    limit().clear()

    assert (tries(1, limit()), tries(1, other)) == ([True], [False])


def test_a_window_ends_for_all_its_tries_at_once_and_refusals_do_not_prolong_it(clock: list[float]) -> None:
    tries(2, limit())
    clock[0] = 50
    refused = tries(3, limit())
    left = limit().seconds_left()
    clock[0] = 61

    assert (refused, left) == ([True, False, False], 10)
    assert tries(4, limit()) == [True] * 3 + [False]


def test_after_the_announced_wait_an_attempt_is_counted(clock: list[float]) -> None:
    tries(3, limit(seconds=300))
    clock[0] = 123.4567

    clock[0] += limit(seconds=300).seconds_left()

    assert tries(1, limit(seconds=300)) == [True]


def test_refusing_changes_no_row() -> None:
    tries(3, limit())
    before = list(Counter.objects.values())

    tries(2, limit())

    assert list(Counter.objects.values()) == before


def test_in_redis_a_refusal_changes_nothing_and_the_window_is_redis_s_to_end(in_redis_server: Redis) -> None:
    tries(3, limit())
    [key] = in_redis_server.keys()
    left = in_redis_server.pttl(key)

    tries(3, limit())

    assert in_redis_server.get(key) == b"3"
    assert 0 < in_redis_server.pttl(key) <= left <= MINUTE


@pytest.mark.usefixtures("in_redis_server")
def test_a_bound_of_more_than_an_hour_is_in_the_database_where_nothing_evicts_it() -> None:
    tries(1, limit(seconds=3600))
    in_the_database = Counter.objects.count()

    tries(1, limit(seconds=3601))

    assert (in_the_database, Counter.objects.count()) == (0, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("store", "patience")
@pytest.mark.parametrize("is_over", [False, True])
def test_many_at_once_are_counted_exactly(is_over: bool, redis_server: Any) -> None:
    if is_over:
        Counter.objects.create(name=limit().name, count=3, ends_at=now() - 1)

    answers = at_once(8, lambda: limit(5).take() is not None)

    assert sorted(answers) == [False] * 3 + [True] * 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("store", "patience")
def test_tries_that_are_given_back_at_once_leave_nothing_counted() -> None:
    def take_and_give_back() -> None:
        taken_at = limit(8).take()
        assert taken_at is not None
        limit(8).give_back(taken_at)

    at_once(8, take_and_give_back)

    assert tries(9, limit(8)) == [True] * 8 + [False]


def put(*, count: Any = 1, ends_at: Any = None) -> None:
    """Write a row with SQL, past the model's checks."""
    row = [limit().name, count, now() + MINUTE if ends_at is None else ends_at]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO accounts_counter (name, count, ends_at) VALUES (%s, %s, %s)", row)


@pytest.mark.parametrize(
    "row",
    [
        {"count": 2_147_483_647},
        {"ends_at": -1},
        {"ends_at": 9_223_372_036_854_775_807},
        {"count": 5, "ends_at": now() + DAY},
    ],
)
def test_a_row_that_somebody_has_put_there_breaks_nothing(row: dict[str, Any]) -> None:
    put(**row)

    tries(1, limit())
    limit().give_back(now())

    assert 1 <= limit().seconds_left() <= 60
    assert limit(seconds=60).is_free() is ("ends_at" in row)


@pytest.mark.no_cover
@pytest.mark.parametrize("column", ["count", "ends_at"])
@pytest.mark.parametrize(
    "make", [lambda _: "many", lambda _: "", lambda _: 1.5, lambda path: pickle.dumps(TouchFile(path))]
)
def test_a_count_that_is_no_number_breaks_nothing(column: str, make: Any, tmp_path: Path) -> None:
    # PostgreSQL refuses these values; SQLite stores any value in any column.
    with suppress(DataError, ProgrammingError), transaction.atomic():
        put(**{column: make(tmp_path / "run")})

    tries(1, limit())
    limit().give_back(now())

    assert 1 <= limit().seconds_left() <= 60
    assert list(tmp_path.iterdir()) == []


def test_the_database_takes_no_count_below_nothing() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        put(count=-1)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "value", [b"many", b"", b"-9", b"1_0", b" 1 ", b"\xff", b"9" * 5000, pickle.dumps(TouchFile(Path("/nowhere/run")))]
)
@pytest.mark.parametrize("milliseconds", [None, 1000, 10 * DAY])
def test_a_value_that_somebody_has_put_into_redis_breaks_nothing(
    in_redis_server: Redis, value: bytes, milliseconds: int | None
) -> None:
    tries(1, limit())
    [key] = in_redis_server.keys()
    in_redis_server.set(key, value, px=milliseconds)

    limit().give_back(now())
    tries(1, limit())

    assert limit().seconds_left() <= 60
    assert int(in_redis_server.get(key) or 0) > 0
    assert in_redis_server.pttl(key) > 0


def test_a_list_in_redis_in_the_place_of_a_number_gives_way(in_redis_server: Redis) -> None:
    tries(1, limit())
    [key] = in_redis_server.keys()
    in_redis_server.delete(key)
    in_redis_server.rpush(key, "x")

    assert tries(4, limit()) == [True] * 3 + [False]


def test_names_reveal_nothing_and_fit_their_column(store: str, in_redis_server: Redis) -> None:
    name = name_of("password_attempts_of_unknown_browsers", "198.51.100.7:alice@example.com" * 100)

    assert len(name) <= 80
    assert "alice" not in name
    assert name != name_of("password_attempts_of_unknown_browsers", "198.51.100.8:alice@example.com" * 100)


def test_all_is_forgotten_that_is_counted_or_cached(in_redis_server: Redis) -> None:
    tries(1, limit())
    tries(1, limit(seconds=DAY / 1000))
    CachedValue.objects.create(key="k", value="1", ends_at=now() + DAY)

    counters.forget_all()

    assert (in_redis_server.keys(), Counter.objects.count(), CachedValue.objects.count()) == ([], 0, 0)


def test_a_cache_that_cannot_be_emptied_is_an_error_with_a_sentence(db: None, settings: Settings) -> None:
    settings.CACHES = in_redis(f"redis://127.0.0.1:{free_port()}/0")

    with pytest.raises(OSError, match="the cache cannot be emptied: "):
        counters.forget_all()


def test_rows_are_called_by_their_keys() -> None:
    assert [str(Counter(name="login:1")), str(CachedValue(key=":1:turn"))] == ["login:1", ":1:turn"]
