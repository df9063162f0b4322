"""Two nodes behind one PgBouncer: they start at once, revoke beside locked rows, restart, and outlive its restart."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from tests import pgbouncer, postgresql, server
from tests.pgbouncer import PgBouncer
from tests.postgresql import PostgreSQL
from tests.resilience.load import LOST, Hammer, Person, Program, make_people
from tests.resilience.test_unconfirmed_revokes import without_standby
from tests.server import Server, ask, poll

pytestmark = [pytest.mark.resilience, pytest.mark.release, pytest.mark.long, pytest.mark.xdist_group("pooler")]
# More processes than the pooler has connections.
WORKERS = 3
PEOPLE, PROGRAMS, PAUSE = 4, 6, 0.005
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
# Each token's next call notes its use, as one call a minute does.
# It waits for no row, so it is in no deadlock with what locks all of them.
UNNOTED = """UPDATE developers_apitoken SET last_used_at = '2020-01-01'
WHERE user_id IN (SELECT user_id FROM developers_apitoken FOR UPDATE SKIP LOCKED)"""
TIMES_LOCKED, LEAST_REVOKES = 3, 3 * PEOPLE
LOCKED_FOR = "SELECT pg_sleep(2) FROM (SELECT count(*) FROM (SELECT * FROM developers_apitoken FOR UPDATE) t) u"


class Rotator:
    """A person who revokes and copies again and again, and when the answer to the revoke of each token came."""

    def __init__(self, person: Person) -> None:
        self.person, self.tokens = person, [person.copy()]
        self.revoked_at: dict[str, float] = {}
        self.statuses: Counter[int] = Counter()

    def rotate(self, is_over: threading.Event) -> None:
        while not is_over.is_set():
            page = self.person.page()
            if page.status_code != 200:
                continue
            answer = self.person.revoke(page)
            self.statuses[answer.status_code] += 1
            if answer.status_code == 200:
                self.revoked_at[self.tokens[-1]] = time.monotonic()
                self.tokens.append(poll(self._copy))

    def _copy(self) -> str | None:
        page = self.person.page()
        answer = self.person.press("copy", page) if page.status_code == 200 else page
        return answer.json()["token"] if answer.status_code == 200 else None


class Load:
    """People at the first node and programs at both, while something else happens."""

    def __init__(self, nodes: list[Server]) -> None:
        self.direct = nodes[0].database_url
        self.rotators = [Rotator(Person(nodes[0].url, number)) for number in range(PEOPLE)]
        self.programs = [Program(node.port) for node in nodes for _ in range(PROGRAMS // 2)]
        self.hammer = Hammer(self.programs, lambda chance: chance.choice(self.tokens()), PAUSE)

    def tokens(self) -> list[str]:
        return [token for rotator in self.rotators for token in rotator.tokens[-2:]]

    @contextmanager
    def running(self) -> Iterator[None]:
        is_over = threading.Event()
        threads = [threading.Thread(target=rotator.rotate, args=(is_over,)) for rotator in self.rotators]
        threads.append(threading.Thread(target=self._forget_uses, args=(is_over,)))
        with self.hammer.running():
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                is_over.set()
                for thread in threads:
                    thread.join()

    def _forget_uses(self, is_over: threading.Event) -> None:
        with psycopg.connect(self.direct, autocommit=True) as database:
            while not is_over.wait(0.05):
                database.execute(UNNOTED)

    @property
    def revokes(self) -> Counter[int]:
        return sum((rotator.statuses for rotator in self.rotators), Counter())

    def go_on(self) -> None:
        """Wait until as many revokes as make a phase have succeeded from now on."""
        before = self.revokes[200]
        poll(lambda: self.revokes[200] >= before + LEAST_REVOKES)

    def accepted_late(self) -> list[tuple[str, float]]:
        revoked_at = {token: at for rotator in self.rotators for token, at in rotator.revoked_at.items()}
        return [
            (call.token, call.began_at - revoked_at[call.token])
            for call in self.hammer.calls
            if call.status == 200 and call.began_at > revoked_at.get(call.token, call.began_at)
        ]


@pytest.fixture(scope="module")
def behind() -> Iterator[PostgreSQL]:
    with postgresql.server(postgresql.NOT_ON_DISK) as running:
        yield running


@pytest.fixture(scope="module")
def pooler(behind: PostgreSQL) -> Iterator[PgBouncer]:
    with pgbouncer.pooler(behind) as running:
        pgbouncer.set_timeouts(**pgbouncer.addresses(running, behind.url))
        yield running


@pytest.fixture(scope="module")
def started(
    behind: PostgreSQL, pooler: PgBouncer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[Server], list[str]]]:
    """Start both nodes at once on a new and empty database, and keep what they print until they are ready."""
    folder = tmp_path_factory.mktemp("nodes")
    where = pgbouncer.addresses(pooler, behind.new_database())
    settings = where | {"ENV_FILE": str(folder / ".env"), "WORKERS": str(WORKERS), "API_RATE_LIMIT": "0"}
    bootstrap = (sys.executable, "-m", "botpenguin.bootstrap", "--new-database")
    made = server.run(*bootstrap, env=server.environment(folder, **settings))
    assert made.returncode == 0, made.stderr
    for name in ("one", "two"):
        (folder / name).mkdir()
    found = [Server(folder / name, MAIL_WORKER="on" if name == "one" else "off", **settings) for name in ("one", "two")]
    with ExitStack() as stop:
        for node in found:
            stop.callback(node.stop)
            node.start()
        for node in found:
            node.wait_until_ready()
        outputs = [node.output for node in found]
        make_people(found[0], PEOPLE)
        yield found, outputs


@pytest.fixture(scope="module")
def nodes(started: tuple[list[Server], list[str]]) -> list[Server]:
    return started[0]


@pytest.fixture(scope="module")
def load(nodes: list[Server]) -> Load:
    return Load(nodes)


def advisory_locks(behind: PostgreSQL) -> int:
    with psycopg.connect(behind.url) as database:
        [found] = database.execute(LOCKS).fetchone() or [None]
    return int(found or 0)


def test_two_nodes_that_start_at_once_prepare_the_database_once(
    started: tuple[list[Server], list[str]], behind: PostgreSQL
) -> None:
    nodes, outputs = started

    assert [ask(f"{node.url}/readyz").text for node in nodes] == ["ok\n", "ok\n"]
    assert sorted("Updating the database" in output for output in outputs) == [False, True]
    assert sorted("The first account" in output for output in outputs) == [False, True]
    lines = [line for output in outputs for line in output.splitlines()]
    assert [line for line in lines if "Traceback" in line or "rror" in line] == []
    assert advisory_locks(behind) == 0


def test_every_revoke_beside_a_locked_row_is_answered_and_ends_the_old_token(load: Load) -> None:
    with load.running():
        load.go_on()
        for _ in range(TIMES_LOCKED):
            with psycopg.connect(load.direct) as database:
                database.execute(LOCKED_FOR)
            load.go_on()

    assert set(load.revokes) == {200}
    assert load.accepted_late() == []
    assert load.hammer.statuses == {200, 401}


def test_a_node_restarts_under_load(nodes: list[Server], behind: PostgreSQL) -> None:
    load = Load(nodes)

    with load.running():
        load.go_on()
        nodes[1].stop()
        nodes[1].start()
        nodes[1].wait_until_ready()
        load.go_on()
        after = [Program(nodes[1].port).send(load.rotators[0].tokens[0]).status for _ in range(8)]

    assert (set(after), set(load.revokes)) == ({401}, {200})
    assert load.accepted_late() == []
    assert load.hammer.statuses <= {200, 401, LOST}
    assert advisory_locks(behind) == 0


def test_all_nodes_recover_from_a_restart_of_the_pooler(nodes: list[Server], pooler: PgBouncer) -> None:
    load = Load(nodes)

    with load.running():
        load.go_on()
        pooler.stop()
        poll(lambda: load.hammer.count(503) > 0)
        pooler.start()
        load.go_on()
        restarted_at = time.monotonic()
        load.go_on()

    late = [call.status for call in load.hammer.calls if call.began_at > restarted_at]
    assert set(late) == {200, 401}
    assert set(load.revokes) <= {200, 503}
    assert load.hammer.statuses == {200, 401, 503}
    assert load.accepted_late() == []


def test_requests_that_get_no_connection_of_the_pooler_are_asked_to_retry(
    nodes: list[Server], pooler: PgBouncer
) -> None:
    person = Person(nodes[0].url)
    bearer = {"Authorization": f"Bearer {person.copy()}"}

    with ExitStack() as stack:
        for _ in range(pgbouncer.POOL_SIZE):
            taken = stack.enter_context(psycopg.connect(pooler.url(nodes[0].database_url), prepare_threshold=None))
            taken.execute("SELECT 1")
        answers = [person.page(), person.client.get("/api/v7/token", headers=bearer)]
    poll(lambda: person.page().status_code == 200)
    called = person.client.get("/api/v7/token", headers=bearer)

    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(503, "5")] * 2
    assert called.status_code == 200


def test_calls_go_on_while_the_writes_of_all_processes_wait_for_a_standby(
    nodes: list[Server], behind: PostgreSQL
) -> None:
    person = Person(nodes[0].url)
    token, page = person.copy(), person.page()

    statuses = Counter[int]()

    def call_all() -> bool:
        """Call each process, which measures from then on. Return whether all of them and the revoke wait."""
        statuses.update(Program(node.port).send(token).status for node in nodes for _ in range(2 * WORKERS))
        [waiting] = operator.execute(WAITING).fetchone() or [0]
        return bool(waiting > len(nodes) * WORKERS)

    with without_standby(behind) as operator:
        answer = person.revoke(page)
        poll(call_all)
        call_all()
    poll(lambda: person.page().status_code == 200 and Program(nodes[1].port).send(token).status == 401)

    assert answer.status_code == 503
    # Until a standby confirms it, the revoke cannot be read.
    assert set(statuses) == {200}
