"""PostgreSQL under Patroni loses its primary in every way that we know, while people revoke and programs call.

`python -m pytest -s tests/deploy/test_failover.py` prints the figures of docs/failover.md.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.deploy.cluster import Cluster, Member, running
from tests.deploy.failover_site import Site
from tests.deploy.network import own_network
from tests.server import poll

pytestmark = [pytest.mark.deployment, pytest.mark.xdist_group("failover")]

KILLS, SWITCHOVERS = 6, 2
# In seconds. After a kill somebody's revoke is answered within this time.
FIRST_REVOKE = 30
# Nobody waits longer for any answer. The clients of the load would give up after this time.
LONGEST = 30


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("failover")
    with own_network(), running(folder) as cluster, ExitStack() as stack:
        site = Site(folder, cluster, stack)
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
