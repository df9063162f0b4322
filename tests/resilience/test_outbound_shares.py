"""Some accounts call a slow server as often as they can, and another calls a quick one."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.developers.outbound.servers import LocalServer, Peer, response, serving
from tests.resilience.conftest import Serve
from tests.server import Server, poll

pytestmark = [pytest.mark.server, pytest.mark.resilience, pytest.mark.release]

SECONDS = 0.5
MAKE_PEOPLE = """
from accounts.web.clients import Client
from accounts.models import User
from developers import issuance, vault
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe

for number, url in enumerate({urls}):
    user = User.objects.create_user(f"{name}{{number}}@example.com")
    token = issuance.issue(user, Client(None, "tests"))
    api = OutboundApi.objects.make(user, "Weather", Recipe("GET", url))
    print(vault.unseal(user.pk, token.generation, token.sealed).open(), api.pk)
"""


def people(server: Server, name: str, urls: list[str]) -> list[tuple[str, str]]:
    """Make accounts with an API each; return their tokens and the APIs' ids."""
    made = server.manage("shell", "--no-imports", "-v0", "-c", MAKE_PEOPLE.format(urls=urls, name=name))
    assert made.returncode == 0, made.stderr
    return [(token, api) for token, api in map(str.split, made.stdout.splitlines())]


def run(client: httpx.Client, token: str, api: str) -> httpx.Response:
    path = f"/api/v7/third-party-apis/{api}/run"
    return client.post(path, headers={"Authorization": f"Bearer {token}"}, json={})


def run_in_turn(client: httpx.Client, token: str, api: str) -> httpx.Response:
    """Call as soon as there is room; return the response, which may refuse one call too many in a minute."""

    def call() -> httpx.Response | None:
        answer = run(client, token, api)
        return None if "The server is busy with other calls" in answer.text else answer

    return poll(call)


@contextmanager
def hammering(server: Server, accounts: list[tuple[str, str]]) -> Iterator[Counter[int]]:
    """Have two programs of each account call until the block ends."""
    is_over, statuses = Event(), Counter[int]()

    def hammer(account: tuple[str, str]) -> None:
        with server.client() as client:
            while not is_over.is_set():
                statuses[run(client, *account).status_code] += 1

    with ThreadPoolExecutor(2 * len(accounts)) as threads:
        hammers = [threads.submit(hammer, account) for account in accounts * 2]
        try:
            yield statuses
        finally:
            is_over.set()
        for each in hammers:
            each.result()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_two_accounts_that_call_a_slow_server_shut_out_no_third(serve: Serve, tmp_path: Path, workers: str) -> None:
    def answer_slowly(peer: Peer) -> None:
        peer.read_request()
        peer.stopped.wait(SECONDS)
        peer.send(response(b"{}"))

    server = serve(tmp_path, WORKERS=workers, OUTBOUND_ALLOWED_NETWORKS="127.0.0.0/8")
    with LocalServer(answer_slowly) as slow, serving(response(b"{}")) as quick:
        *two, third = people(server, f"w{workers}-", [slow.url, slow.url, quick.url])
        with hammering(server, two) as theirs, server.client() as client:
            poll(lambda: slow.connections >= len(two))
            began_at = time.monotonic()
            answers = [run_in_turn(client, *third) for _ in range(33)]
            seconds = time.monotonic() - began_at
        print(f"33 calls of the third in {seconds:.1f} s; answers to the two: {dict(theirs)}")

    # Its minute, and no refused call has taken from it.
    assert [answer.status_code for answer in answers] == [200] * 30 + [429] * 3
    assert quick.connections == 30
    assert theirs[429] > 0
