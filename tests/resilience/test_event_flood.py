"""Six threads of one session show a token again and again, on a real server."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.resilience.conftest import Serve
from tests.resilience.load import Person, make_people

pytestmark = [pytest.mark.server, pytest.mark.resilience, pytest.mark.release]

THREADS, EACH, MOST = 6, 50, 60


def test_a_flood_of_actions_is_counted_and_leaves_few_rows(serve: Serve) -> None:
    server = serve()
    make_people(server, 1)
    person = Person(server.url)
    page = person.page()

    def copy() -> None:
        for _ in range(EACH):
            person.copy(page)

    with ThreadPoolExecutor(THREADS) as threads:
        for copying in [threads.submit(copy) for _ in range(THREADS)]:
            copying.result()

    [(listed,)] = server.rows("SELECT count(*) FROM accounts_securityevent WHERE kind = 'token-copied'")
    counted = server.rows("SELECT count FROM accounts_eventcount WHERE kind = 'token-copied'")
    print(f"{THREADS * EACH} copies: {listed} rows, and {counted}")
    assert listed + sum(count for (count,) in counted) == THREADS * EACH
    # Each thread may have found room for one event at the same time.
    assert MOST <= listed < MOST + THREADS
    assert len(counted) <= 2
    assert f"and {counted[-1][0]} more" in person.client.get("/account/security/log/").text
