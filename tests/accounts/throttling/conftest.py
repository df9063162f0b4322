from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings
from redis import Redis

from accounts.throttling import breaker
from tests.redis import Pool, RedisServer, in_redis, redis


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with redis() as server:
        yield server


@pytest.fixture
def in_redis_server(db: None, settings: Settings, redis_server: RedisServer) -> Iterator[Redis]:
    """An empty Redis that is the cache."""
    with Redis.from_url(redis_server.url) as client:
        client.flushdb()
        settings.CACHES = in_redis(redis_server.url)
        yield client
    Pool.close_all()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcome of a race must not depend on the speed of the machine."""
    monkeypatch.setattr(breaker, "WAIT_SECONDS", 60.0)


@pytest.fixture(params=["database", "redis"])
def store(request: pytest.FixtureRequest) -> str:
    """The store of counts and cache: each test runs on both."""
    if request.param == "redis":
        request.getfixturevalue("in_redis_server")
    return str(request.param)


@pytest.fixture
def low_limits(settings: Settings) -> None:
    """The same limits, reached by fewer requests. The tests without this fixture assert the real numbers."""
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {
        "password_attempt": "2/5m/key",
        "password_attempts_of_unknown_browsers": "4/h/key",
        "code": "2/5m/key",
        "codes": "4/d/key",
    }
