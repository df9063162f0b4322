"""Uses of tokens on a real server of two processes: exact after a minute or a stop, whatever happens meanwhile."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.platform.calls import accounts_on
from tests.server import Server, poll

pytestmark = [
    pytest.mark.release,
    pytest.mark.long,
    pytest.mark.resilience,
    pytest.mark.server,
    pytest.mark.xdist_group("token_uses"),
]

CLIENTS, CALLS = 8, 50
MANY = 10_000
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
USES = "SELECT program, is_refused, count FROM developers_tokenuse"
PATH = "/api/v7/token"
LOCK = {
    True: ("BEGIN IMMEDIATE", "COMMIT"),
    False: ("BEGIN; LOCK TABLE developers_tokenuse IN EXCLUSIVE MODE", "COMMIT"),
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("uses")
    with Server(folder, WORKERS="2", MAIL_WORKER="off", API_RATE_LIMIT="0") as running:
        yield running


def call(node: Server, token: str, times: int, agent: str | None = None) -> Counter[int]:
    headers = {"Authorization": f"Bearer {token}"} | ({"User-Agent": agent} if agent else {})
    with node.client() as client:
        return Counter(client.get(PATH, headers=headers).status_code for _ in range(times))


def curl(node: Server, token: str) -> str:
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {token}"]
    return subprocess.run([*command, node.url + PATH], capture_output=True, text=True, check=True).stdout


def counted(node: Server) -> Counter[Any]:
    found = Counter[Any]()
    for program, is_refused, count in node.rows(USES):
        found[program, bool(is_refused)] += count
    return found


@contextmanager
def locked(node: Server) -> Iterator[None]:
    """Let no other process write until the block ends."""
    begin, end = LOCK[node.database_url.startswith("sqlite")]
    with node.database() as database:
        database.execute(begin)
        yield
        database.execute(end)


def burst(node: Server, token: str) -> tuple[Counter[int], Counter[Any]]:
    """Call from many clients at once; return the statuses, and what the table must count."""
    agents = ["n8n/1.64", FIREFOX, None, "okhttp/4.12"] * 2
    with ThreadPoolExecutor(CLIENTS) as clients:
        statuses = sum(clients.map(lambda agent: call(node, token, CALLS, agent), agents), Counter[int]())
    statuses[int(curl(node, token))] += 1
    names = ("n8n", "Web browser", "okhttp", "python-httpx")
    return statuses, Counter({(name, False): 2 * CALLS for name in names} | {("curl", False): 1})


def revoke(node: Server, token: str) -> None:
    with node.client() as client:
        revoked = client.post(f"{PATH}/revoke", headers={"Authorization": f"Bearer {token}", "User-Agent": "n8n/1.65"})
    assert revoked.status_code == 204


def test_the_counts_are_exact_within_a_minute_through_a_lock_and_lose_at_most_a_minute_by_a_kill(node: Server) -> None:
    [token] = accounts_on(node, 1)

    statuses, expected = burst(node, token)
    revoke(node, token)
    refused = call(node, token, 20, "n8n/1.65")
    expected += Counter({("n8n", False): 1, ("n8n", True): 20})
    began, before = time.monotonic(), counted(node)
    poll(lambda: counted(node) == expected)
    print(f"A burst of {expected.total()} calls was written after {time.monotonic() - began:.0f} seconds of silence.")

    # Nobody can write for a whole interval.
    with locked(node):
        while_locked = call(node, token, 30, "n8n/1.65")
        poll(lambda: "uses of tokens was not recorded" in node.output)
    expected += Counter({("n8n", True): 30})
    poll(lambda: counted(node) == expected)

    call(node, token, 10, "n8n/1.65")
    for worker in node.workers:
        os.kill(worker, signal.SIGKILL)
    poll(lambda: call_answers(node, token))
    after_kill = counted(node)
    rest = call(node, token, 5, "wget/1")
    stopped = node.stop()

    assert (statuses, refused, before.total()) == ({200: CLIENTS * CALLS + 1}, {401: 20}, 0)
    assert while_locked == {401: 30}
    # What was written before stays.
    assert expected <= after_kill <= expected + Counter({("n8n", True): 10})
    assert (rest, stopped, counted(node)["wget", True]) == ({401: 5}, 0, 5)


def call_answers(node: Server, token: str) -> bool:
    """Return whether a new worker answers."""
    try:
        return call(node, token, 1, "first/1") == {401: 1}
    except (OSError, httpx.TransportError):
        return False


def test_two_processes_that_stop_at_once_keep_fifty_of_many_programs_apart(tmp_path: Path) -> None:
    with Server(tmp_path, WORKERS="2", MAIL_WORKER="off", API_RATE_LIMIT="0") as node:
        [token] = accounts_on(node, 1)

        def call_by_many(number: int) -> Counter[int]:
            headers = {"Authorization": f"Bearer {token}"}
            with node.client() as client:
                agents = [headers | {"User-Agent": f"program-{number}-{each}/1.0"} for each in range(MANY // CLIENTS)]
                return Counter(client.get(PATH, headers=agent).status_code for agent in agents)

        with ThreadPoolExecutor(CLIENTS) as clients:
            statuses = sum(clients.map(call_by_many, range(CLIENTS)), Counter[int]())
        stopped = node.stop()
        found = counted(node)

    assert (statuses, stopped, found.total()) == ({200: MANY}, 0, MANY)
    assert len(found) == 51
    assert found["*", False] == MANY - 50
