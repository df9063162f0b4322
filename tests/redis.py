"""Runs a Redis for tests on a free port of 127.0.0.1, without files."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from redis import ConnectionPool, Redis
from redis.exceptions import ConnectionError as Refused

from tests.server import free_port, poll


class Pool(ConnectionPool):
    """The connections of one thread. Django closes them at the end of the process."""

    made: ClassVar[list[ConnectionPool]] = []

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.made.append(self)

    @classmethod
    def close_all(cls) -> None:
        while cls.made:
            cls.made.pop().disconnect()


class RedisServer:
    """A server that can be killed and started. It starts empty."""

    options = ["--save", "", "--logfile", "/dev/null"]

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), *self.options],
            start_new_session=True,
        )
        poll(self._answers)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def names(self) -> list[str]:
        """The names of all keys."""
        with Redis.from_url(self.url) as client:
            return [name.decode() for name in client.scan_iter()]

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"redis-server ended with {self.process.returncode}"
        try:
            with Redis.from_url(self.url) as client:
                return bool(client.ping())
        except Refused:
            return False


@contextmanager
def redis() -> Iterator[RedisServer]:
    """Run a server during the block."""
    server = RedisServer()
    server.start()
    try:
        yield server
    finally:
        server.kill()


def in_redis(url: str) -> dict[str, dict[str, Any]]:
    """Return `CACHES` as the settings define it for this `CACHE_URL`."""
    return {
        "default": {
            "BACKEND": "accounts.throttling.redis.Cache",
            "LOCATION": url,
            "KEY_FUNCTION": "accounts.throttling.cache.make_key",
            "OPTIONS": {"serializer": "accounts.throttling.cache.JSONSerializer", "pool_class": Pool},
        }
    }
