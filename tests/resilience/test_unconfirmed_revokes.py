"""No standby confirms a revoke: it is answered 503, nothing says that it is done, and calls go on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from tests import postgresql
from tests.postgresql import PostgreSQL
from tests.resilience.conftest import Serve
from tests.resilience.load import Hammer, Person, Program, make_people
from tests.server import Server, poll

pytestmark = [pytest.mark.resilience, pytest.mark.release, pytest.mark.xdist_group("unconfirmed writes")]

# In seconds: less than the server would wait, and more than its deadline.
BOUND = 25
OWNER = 3
GENERATION = (
    "SELECT generation FROM developers_apitoken JOIN accounts_user ON user_id = accounts_user.id WHERE email = %s"
)
CANCEL = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgreSQL]:
    with postgresql.server() as running:
        yield running


@pytest.fixture(scope="module")
def node(serve: Serve, cluster: PostgreSQL) -> Server:
    server = serve(WORKERS="2", DATABASE_URL=cluster.url)
    make_people(server, 4)
    return server


@contextmanager
def without_standby(cluster: PostgreSQL) -> Iterator[psycopg.Connection]:
    """Let every commit of others wait. Yields the connection of an operator, whose own do not."""
    with psycopg.connect(cluster.url, autocommit=True) as operator:
        operator.execute("SET synchronous_commit = local")
        operator.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        operator.execute("SELECT pg_reload_conf()")
        try:
            yield operator
        finally:
            operator.execute("ALTER SYSTEM RESET synchronous_standby_names")
            operator.execute("SELECT pg_reload_conf()")


def assert_not_confirmed(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "may or may not take effect" in answer.text
    assert "replaced at" not in answer.text
    assert answer.elapsed.total_seconds() < BOUND


def call(node: Server, token: str) -> httpx.Response:
    with node.client() as client:
        return client.get("/api/v7/token", headers={"Authorization": f"Bearer {token}"})


def test_a_revoke_that_no_standby_confirms_is_given_up_while_calls_go_on(node: Server, cluster: PostgreSQL) -> None:
    owner, other, witness = (Person(node.url, number) for number in range(3))
    old, others, page = owner.copy(), other.page(), owner.page()
    witnessed = witness.copy()
    programs = [Program(node.port) for _ in range(4)]

    with (
        Hammer(programs, lambda chance: witnessed, pause=0.05).running() as hammer,
        without_standby(cluster) as operator,
    ):
        # Otherwise no call would note that the token was used.
        operator.execute("UPDATE developers_apitoken SET last_used_at = NULL")
        first = owner.revoke(page)
        poll(lambda: other.revoke(others).elapsed.total_seconds() < 1)
        second = other.revoke(others)
        noted = operator.execute("SELECT count(last_used_at) FROM developers_apitoken").fetchone()
    poll(lambda: owner.page().status_code == 200 and call(node, old).status_code == 401)
    repeated = poll(lambda: answer if (answer := owner.revoke(page)).status_code != 503 else None)

    assert_not_confirmed(first)
    assert second.status_code == 503
    assert "Nothing was changed" in second.text
    assert hammer.statuses == {200}
    assert max(made.ended_at - made.began_at for made in hammer.calls) < BOUND
    assert noted == (1,)
    assert (repeated.status_code, repeated.json()["verdict"]) == (409, "already-replaced")
    assert "Traceback" not in node.output


def test_a_revoke_whose_wait_an_operator_cancels_is_said_to_be_done_only_once_a_later_commit_is(
    node: Server, cluster: PostgreSQL
) -> None:
    owner = Person(node.url, OWNER)
    old, page = owner.copy(), owner.page()

    with without_standby(cluster) as operator, ThreadPoolExecutor(1) as threads:
        revoking = threads.submit(owner.revoke, page)
        poll(lambda: revoking.done() or operator.execute(CANCEL.encode()).fetchone() != (0,))
        answers = [revoking.result(), *(owner.page() for _ in range(4)), *(call(node, old) for _ in range(4))]
        generation = operator.execute(GENERATION, [f"person{OWNER}@example.com"]).fetchone()
    poll(lambda: owner.page().status_code == 200)
    repeated = poll(lambda: answer if (answer := owner.revoke(page)).status_code != 503 else None)

    # The revoke can be read, but a failover would undo it.
    assert generation == (2,)
    for answer in answers:
        assert_not_confirmed(answer)
    assert repeated.json()["verdict"] == "already-replaced"
    assert call(node, old).status_code == 401
