"""`check --deploy` asks Redis how much memory it may use, and what it does when that is full."""

import re
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings
from redis import Redis

from botpenguin.operations.cache_checks import FULL, NO_ANSWER, NO_BOUND, OTHER, check_cache_has_a_bound
from tests.accounts.throttling.test_sick_redis import ANSWERS, answering, run
from tests.redis import Pool, RedisServer, in_redis, redis
from tests.server import free_port

pytestmark = [pytest.mark.matrix, pytest.mark.resilience]


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    with redis() as server:
        yield server


@pytest.fixture
def client(settings: Settings, redis_server: RedisServer) -> Iterator[Redis]:
    """A client of a Redis that is the cache."""
    settings.CACHES = in_redis(redis_server.url)
    with Redis.from_url(redis_server.url) as client:
        yield client
    Pool.close_all()


@pytest.mark.parametrize(
    ("bound", "policy", "shown"),
    [
        ("0", "noeviction", ("botpenguin.W004", NO_BOUND)),
        ("0", "volatile-lru", ("botpenguin.W004", NO_BOUND)),
        ("128mb", "volatile-lru", None),
        ("1gb", "allkeys-lru", None),
        ("128mb", "noeviction", ("botpenguin.W005", FULL)),
        ("128mb", "volatile-ttl", ("botpenguin.W005", OTHER.format("volatile-ttl"))),
        ("128mb", "volatile-random", ("botpenguin.W005", OTHER.format("volatile-random"))),
        ("128mb", "allkeys-lfu", ("botpenguin.W005", OTHER.format("allkeys-lfu"))),
        ("128mb", "allkeys-random", ("botpenguin.W005", OTHER.format("allkeys-random"))),
    ],
)
def test_a_redis_that_grows_without_bound_or_refuses_when_it_is_full_is_warned_of(
    client: Redis, bound: str, policy: str, shown: tuple[str, str] | None
) -> None:
    client.config_set("maxmemory", bound)
    client.config_set("maxmemory-policy", policy)

    found = [(message.id, message.msg) for message in check_cache_has_a_bound(None)]

    assert found == ([shown] if shown else [])


def test_a_user_who_may_not_read_the_configuration_can_ask(client: Redis) -> None:
    client.config_set("maxmemory", "128mb")
    client.config_set("maxmemory-policy", "volatile-lru")
    run(client, "ACL SETUSER default -config")
    try:
        found = check_cache_has_a_bound(None)
    finally:
        run(client, "ACL SETUSER default +@all")

    assert found == []


def test_a_user_who_may_not_ask_is_named_the_permission(client: Redis) -> None:
    run(client, "ACL SETUSER default -info")
    try:
        [message] = check_cache_has_a_bound(None)
    finally:
        run(client, "ACL SETUSER default +@all")

    assert message.id == "botpenguin.W003"
    assert "no permissions to run the 'info' command" in message.msg
    assert message.hint
    assert "permission to run INFO" in message.hint


@pytest.mark.parametrize(
    "name", ["NOAUTH", "LOADING", "protected mode", "too many clients", "no Redis", "bytes", "nothing"]
)
def test_a_redis_that_does_not_answer_is_warned_of_in_a_sentence(settings: Settings, name: str) -> None:
    with answering(ANSWERS[name]) as url:
        settings.CACHES = in_redis(url)
        [message] = check_cache_has_a_bound(None)

    assert message.id == "botpenguin.W003"
    assert re.fullmatch("The Redis of CACHE_URL does not say how much memory it may use: .+", message.msg)


def test_a_table_of_the_database_needs_no_bound() -> None:
    assert check_cache_has_a_bound(None) == []


@pytest.mark.django_db
def test_the_command_shows_it_and_a_start_does_not_depend_on_it(settings: Settings) -> None:
    settings.CACHES = in_redis(f"redis://127.0.0.1:{free_port()}/0")
    shown = StringIO()

    call_command("check", stderr=shown, deploy=True, fail_level="CRITICAL")
    call_command("check", fail_level="WARNING")

    assert f"(botpenguin.W003) {NO_ANSWER.format('Error 111')}" in shown.getvalue()
    assert "Traceback" not in shown.getvalue()
