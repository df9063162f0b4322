"""Redis freezes while many log in: their requests do not hold up the API, which never uses Redis."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from tests.cast import PASSWORD
from tests.redis import RedisServer, redis
from tests.resilience.conftest import Serve
from tests.resilience.load import Person, Program, csrf_token, make_people
from tests.server import Server, poll

pytestmark = [pytest.mark.release, pytest.mark.resilience]

VISITORS, CALLS = 48, 60
LOG_IN = "/account/login/"


@pytest.fixture(scope="module")
def cache() -> Iterator[RedisServer]:
    with redis() as running:
        yield running


@contextmanager
def frozen(cache: RedisServer) -> Iterator[None]:
    os.kill(cache.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(cache.process.pid, signal.SIGCONT)


class LogIns:
    """Visitors from different networks who log in again and again; `statuses` counts the responses."""

    def __init__(self, server: Server) -> None:
        self.server, self.is_over = server, Event()
        self.statuses: Counter[int] = Counter()
        # Visitors who have sent their form.
        self.numbers: set[int] = set()

    def go_on(self, number: int) -> None:
        with self.server.client() as client:
            client.headers["X-Forwarded-For"] = f"198.51.100.{number}"
            form = {
                "login": "person0@example.com",
                "password": PASSWORD,
                "csrfmiddlewaretoken": csrf_token(client.get(LOG_IN)),
            }
            while not self.is_over.is_set():
                self.numbers.add(number)
                self.statuses[client.post(LOG_IN, data=form).status_code] += 1


def test_while_redis_is_frozen_and_many_log_in_every_call_of_the_api_is_answered(
    serve: Serve, cache: RedisServer
) -> None:
    server = serve(WORKERS="1", CACHE_URL=cache.url, TRUSTED_PROXIES="127.0.0.1")
    make_people(server, 1)
    token = Person(server.url).copy()
    visitors, program = LogIns(server), Program(server.port)

    with ThreadPoolExecutor(VISITORS) as threads, frozen(cache):
        for number in range(VISITORS):
            threads.submit(visitors.go_on, number)
        poll(lambda: len(visitors.numbers) == VISITORS)
        calls = [program.send(token) for _ in range(CALLS)]
        answered = +visitors.statuses
        visitors.is_over.set()
    took = sorted(call.ended_at - call.began_at for call in calls)
    print(f"API: median {took[CALLS // 2] * 1000:.0f} ms, slowest {took[-1] * 1000:.0f} ms; log-ins {dict(answered)}")

    assert Counter(call.status for call in calls) == {200: CALLS}
    assert answered[503] >= VISITORS
    assert set(answered) == {503}
    assert "Traceback" not in server.output
    # Who waits is one, and logs why; a server that is slow to freeze may refuse one in another way first.
    assert server.output.count("since the cache cannot serve") <= 2
    assert poll(lambda: is_in(server))


def is_in(server: Server) -> bool:
    """Return whether log-ins work again."""
    with server.client() as client:
        client.headers["X-Forwarded-For"] = "203.0.113.9"
        form = {"login": "person0@example.com", "password": PASSWORD}
        answer = client.post(LOG_IN, data=form | {"csrfmiddlewaretoken": csrf_token(client.get(LOG_IN))})
    return answer.status_code == 302
