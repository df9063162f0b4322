"""Django's cache in the database and in Redis holds JSON, which runs no code when it is read."""

import pickle
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.migrations import RunSQL
from django.db.migrations.state import ProjectState
from redis import Redis

from accounts.throttling.cache import FOREVER
from accounts.throttling.models import CachedValue
from tests.accounts.throttling.test_counters import TouchFile
from tests.test_races import at_once

pytestmark = [pytest.mark.matrix, pytest.mark.django_db]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("value", [True, False, None, 0, 7, 1.5, "text é\u2028", [1, [2]], {"a": {"b": None}}])
def test_a_value_is_found_until_it_is_deleted(value: Any) -> None:
    cache.set("key", "another value")
    cache.set("key", value)
    found = cache.get("key", "nothing")

    was_there = cache.delete("key")

    assert (found, type(found)) == (value, type(value))
    assert (was_there, cache.delete("key"), cache.get("key", "nothing")) == (True, False, "nothing")


@pytest.mark.usefixtures("store")
def test_a_value_without_a_json_form_is_not_kept() -> None:
    with pytest.raises(TypeError, match="is not JSON serializable"):
        cache.set("key", object())


@pytest.mark.usefixtures("store")
def test_the_first_of_two_requests_adds_a_key() -> None:
    assert [cache.add("key", value, 60) for value in (1, 2)] == [True, False]
    assert cache.get("key") == 1


@pytest.mark.usefixtures("store")
def test_a_key_whose_value_has_expired_is_added_anew() -> None:
    cache.set("key", "old", -1)

    assert (cache.add("key", "new", 60), cache.get("key")) == (True, "new")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_over", [False, True])
@pytest.mark.usefixtures("store")
def test_one_of_many_concurrent_requests_adds_a_key(is_over: bool) -> None:
    if is_over:
        cache.set("key", "old", -1)

    answers = at_once(8, lambda: cache.add("key", 1, 60))

    assert sorted(answers) == [False] * 7 + [True]


@pytest.mark.usefixtures("store")
def test_an_expired_value_is_gone_and_cannot_be_prolonged() -> None:
    cache.set("key", 1, -1)

    assert (cache.get("key"), cache.touch("key", 60), cache.get("key")) == (None, False, None)


@pytest.mark.usefixtures("store")
def test_clearing_it_leaves_nothing() -> None:
    cache.set("key", 1)

    cache.clear()

    assert cache.get("key") is None


def test_a_prolonged_value_lasts_longer(clock: list[float]) -> None:
    cache.set("key", 1, 10)
    cache.touch("key", 100)

    clock[0] = 60

    assert cache.get("key") == 1


def test_a_value_without_a_timeout_stays() -> None:
    cache.set("key", 1, None)

    assert CachedValue.objects.get().ends_at == FOREVER


@pytest.mark.parametrize(
    "value", ["", "no JSON", "[" * 100_000, "9" * 5000, pickle.dumps(TouchFile(Path("/run")), 0).decode()]
)
def test_a_row_that_is_no_json_is_read_as_nothing(value: str) -> None:
    cache.set("key", 1)
    CachedValue.objects.update(value=value)

    assert cache.get("key", "nothing") == "nothing"


@pytest.mark.parametrize("value", [b"", b"no JSON", b"\xff", b"[" * 100_000, pickle.dumps(TouchFile(Path("/run")))])
def test_a_value_in_redis_that_is_no_json_is_read_as_nothing(in_redis_server: Redis, value: bytes) -> None:
    cache.set("key", 1)
    [key] = in_redis_server.keys()
    in_redis_server.set(key, value)

    assert cache.get("key") is None


def test_in_redis_an_integer_is_an_integer_and_the_rest_is_json(in_redis_server: Redis) -> None:
    cache.set_many({"integer": 7, "list": ["é"]})

    assert {in_redis_server.get(key) for key in in_redis_server.scan_iter()} == {b"7", b'["\\u00e9"]'}


@pytest.mark.django_db(transaction=True)
def test_the_table_of_pickles_goes_with_the_upgrade() -> None:
    migration = import_module("accounts.migrations.0009_counters").Migration
    [drop] = [operation for operation in migration.operations if isinstance(operation, RunSQL)]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE shared_cache (cache_key varchar(255), value text, expires timestamp)")

    for _time in range(2):
        with connection.schema_editor() as editor:
            drop.database_forwards("accounts", editor, ProjectState(), ProjectState())

    assert "shared_cache" not in connection.introspection.table_names()
