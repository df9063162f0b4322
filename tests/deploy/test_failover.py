"""PostgreSQL under Patroni loses its primary in every way that we know, while people revoke and programs call.

`python -m pytest -s tests/deploy/test_failover.py` prints the figures of docs/failover.md.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from tests.deploy.cluster import Cluster, Member, running
from tests.deploy.failover_load import ApiProgram, is_designed
from tests.deploy.failover_site import Site
from tests.deploy.network import own_network
from tests.resilience.behind_nginx import visitor
from tests.resilience.load import Person
from tests.server import poll

pytestmark = [pytest.mark.deployment, pytest.mark.xdist_group("failover")]

KILLS, SWITCHOVERS = 6, 2
# In seconds. After a kill somebody's revoke is answered within this time.
FIRST_REVOKE = 30
# Nobody waits longer for any answer. The clients of the load would give up after this time.
LONGEST = 30
GENERATION = """
    SELECT generation FROM developers_apitoken JOIN accounts_user ON accounts_user.id = user_id
    WHERE email = 'person6@example.com'
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("failover")
    with own_network(), running(folder) as cluster, ExitStack() as stack:
        site = Site(folder, cluster, stack)
        with site.load.running():
            yield site
        assert site.forgotten() == []
        statuses = Counter(call.status for call in site.load.hammer.calls)
        print(f"\n{len(site.load.revoked)} answered revokes, calls by status: {dict(statuses)}")


@pytest.fixture
def cluster(site: Site) -> Cluster:
    site.cluster.wait_until_whole()
    site.load.wait_for_calls()
    return site.cluster


def primary_of(cluster: Cluster) -> Member:
    return poll(cluster.primary)


def fail_over(site: Site, old: Member, harm: Callable[[], None]) -> float:
    """Harm the primary, wait until all are served again, and return the seconds to the first answered revoke."""
    began_at = time.monotonic()
    harm()
    poll(lambda: site.cluster.primary(but=old))
    chosen_at = time.monotonic()
    first_revoke = site.load.seconds_to_revoke(began_at, chosen_at)
    site.load.wait_for_calls()
    took = f"new primary {chosen_at - began_at:.1f} s, first revoke {first_revoke:.1f} s"
    print(f"\n{harm.__name__} {old.name}: {took}", end="")
    return first_revoke


def assert_promises(site: Site, since: float) -> None:
    """No revoke is undone, outages look as designed, nobody hangs, and no process was started again."""
    assert site.load.accepted_after_revoke() == []
    assert site.forgotten(since) == []
    assert site.load.wrong() == []
    assert site.load.longest(since) < LONGEST
    assert site.processes() == site.workers


def test_a_primary_that_is_killed_is_replaced_and_no_answered_revoke_is_undone(site: Site, cluster: Cluster) -> None:
    since, seconds = time.monotonic(), []
    for _ in range(KILLS):
        old = primary_of(cluster)
        seconds.append(fail_over(site, old, old.kill))
        old.start()
        cluster.wait_until_whole()

    assert max(seconds) < FIRST_REVOKE
    assert_promises(site, since)


def test_a_switchover_undoes_no_revoke(site: Site, cluster: Cluster) -> None:
    since = time.monotonic()
    for _ in range(SWITCHOVERS):
        fail_over(site, primary_of(cluster), cluster.switch_over)
        cluster.wait_until_whole()

    assert_promises(site, since)


def test_a_primary_whose_agent_hangs_answers_no_check_although_it_still_runs(site: Site, cluster: Cluster) -> None:
    since, old = time.monotonic(), primary_of(cluster)
    # The process that is replaced has all connections, and knows no failover.
    for fence in site.fences:
        fence.reload()
    site.load.wait_for_calls()

    fail_over(site, old, old.freeze_agent)
    still_runs = old.is_primary()
    old.thaw()
    cluster.wait_until_whole()
    site.load.wait_for_calls()

    assert still_runs
    assert_promises(site, since)


def test_a_primary_that_was_frozen_answers_no_check_after_it_thaws(site: Site, cluster: Cluster) -> None:
    since, old = time.monotonic(), primary_of(cluster)

    fail_over(site, old, old.freeze)
    old.thaw()
    cluster.wait_until_whole()
    site.load.wait_for_calls()

    assert_promises(site, since)


def test_a_primary_that_is_cut_off_answers_no_check_after_it_is_back(site: Site, cluster: Cluster) -> None:
    since, old = time.monotonic(), primary_of(cluster)

    fail_over(site, old, old.machine.cut_off)
    old.machine.join()
    cluster.wait_until_whole()
    site.load.wait_for_calls()

    assert_promises(site, since)


@contextmanager
def without_standbys(site: Site) -> Iterator[Member]:
    """Kill both standbys during the block, and yield the primary. Afterwards wait until all are served again."""
    primary = primary_of(site.cluster)
    lost = site.cluster.standbys(primary)
    for standby in lost:
        standby.kill()
    try:
        yield primary
    finally:
        for standby in lost:
            standby.start()
        site.cluster.wait_until_whole()
    site.load.wait_for_calls()


def assert_is_outage(answer: httpx.Response) -> None:
    assert is_designed(answer.status_code, answer.headers, answer.text), (answer.status_code, answer.text)


def test_without_standbys_checks_go_on_and_revokes_are_answered_503(site: Site, cluster: Cluster) -> None:
    since = time.monotonic()
    alice, bob = visitor(site.nginx, 4), visitor(site.nginx, 5)
    # No program has used them, so the first checks would note a use.
    page, tokens = alice.page(), [person.copy() for person in (alice, bob)]
    program = ApiProgram(site.nginx, number=20)

    with without_standbys(site):
        lost_at = time.monotonic()
        refused = alice.revoke(page)
        statuses = Counter(program.send(token).status for token in tokens * 20)
        ready = site.statuses("/readyz")
        poll(lambda: site.statuses("/readyz/writes") == [503, 503])
        poll(lambda: any("ot confirmed" in response.body for response in site.load.responses_since(lost_at)))
    answer = alice.revoke()
    # Each node measures by itself, every few seconds.
    poll(lambda: site.statuses("/readyz/writes") == [200, 200])

    assert_is_outage(refused)
    assert statuses == {200: 40}
    assert ready == [200, 200]
    assert (answer.status_code, answer.json()["verdict"]) == (200, "replaced")
    assert_promises(site, since)


def test_a_revoke_whose_commit_an_operator_cancels_counts_once_a_standby_has_it(site: Site, cluster: Cluster) -> None:
    since, alice = time.monotonic(), visitor(site.nginx, 6)
    page, token = alice.page(), alice.copy()
    program = ApiProgram(site.nginx, number=20)

    with without_standbys(site) as primary:
        answer = revoke_and_cancel(site, primary, alice, page)
        [generation] = primary.query(GENERATION, "panel")
        repeated, check, later_page = alice.revoke(page), program.send(token), alice.page()
    after = alice.press("revoke", alice.page(), generation="1", even_if_used="on")

    assert_is_outage(answer)
    # The primary has it, and no standby.
    assert generation == 2
    assert_is_outage(repeated)
    assert check.status == 503
    assert_is_outage(later_page)
    assert (after.status_code, after.json()["verdict"]) == (409, "already-replaced")
    assert program.send(token).status == 401
    assert_promises(site, since)


def revoke_and_cancel(site: Site, primary: Member, person: Person, page: httpx.Response) -> httpx.Response:
    """Send a revoke whose COMMIT waits for a standby, and cancel all such statements until the answer comes."""
    waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(person.revoke, page)
        # All that the load waits for, and this one.
        poll(lambda: answer.done() or primary.query(f"SELECT count(*) {waiting}")[0] > len(site.load.rotators))
        poll(lambda: primary.query(f"SELECT count(pg_cancel_backend(pid)) {waiting}") and answer.done())
        return answer.result()
