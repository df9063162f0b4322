"""A server within the memory that the units give it, under all that takes much at once: no process ends.

What each takes is printed, and stands in docs/performance.md.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from tests.cast import PASSWORD
from tests.deploy.test_memory_bounds import BOUNDS, environment_of, unit
from tests.developers.outbound.servers import LocalServer, response, serving
from tests.platform.calls import row
from tests.processes import descendants
from tests.resilience.cages import MIB, Cage, cage, resident
from tests.resilience.load import csrf_token
from tests.server import Server, poll

pytestmark = [pytest.mark.release, pytest.mark.resilience, pytest.mark.server]

LOG_IN, SIGN_UP, LOG = "/account/login/", "/account/signup/", "/account/security/log/download/"
PEOPLE = 8
# Statuses of success, or of a refusal with a sentence.
ANSWERS = {200, 201, 302, 413, 429, 503}
# Contacts from before the bound, hashes with older parameters, and a year of events.
PREPARE = """
import argon2
from django.db.models import QuerySet
from accounts.web.clients import Client
from accounts.models import User
from accounts.events import SecurityEvent
from botpenguin.platform.models import Contact
from developers import issuance, vault
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe

old = "argon2" + argon2.PasswordHasher(time_cost=2, memory_cost=102400, parallelism=8).hash({password!r})
for number in range({people}):
    user = User.objects.create_user(f"person{{number}}@example.com")
    User.objects.filter(pk=user.pk).update(password=old)
    token = issuance.issue(user, Client(None, "tests"))
    api = OutboundApi.objects.make(user, "Weather", Recipe("GET", {urls}[number % len({urls})]))
    Contact.objects.bulk_create(
        Contact(
            owner=user, name=f"Asha {{place}}", email=f"asha{{place}}@example.com", is_large=True,
            attributes={{f"key{{key:03}}": "🐧" * 1000 for key in range(100)}}, notes=["🐧" * 2000] * 100,
        )
        for place in range(50)
    )
    # Its own manager adds them one by one.
    QuerySet(SecurityEvent).bulk_create(
        SecurityEvent(user=user, kind="signed-in", detail="password", ip="203.0.113.9", client="Firefox on Linux")
        for _ in range(20_000)
    )
    print(vault.unseal(user.pk, token.generation, token.sealed).open(), api.pk)
"""


class Caged(Server):
    """A server as the unit starts one, in a cage."""

    def __init__(self, folder: Path, cage: Cage, **settings: str) -> None:
        as_in_unit = {
            name: environment_of(unit("web"))[name] for name in ("MAIL_WORKER", "LOG_FORMAT", "MALLOC_ARENA_MAX")
        }
        super().__init__(folder, **as_in_unit | {"TRUSTED_PROXIES": "127.0.0.1", "API_RATE_LIMIT": "0"} | settings)
        self.cage = cage

    def start(self) -> None:
        super().start()
        self.cage.take(self.process.pid)

    @property
    def peaks(self) -> dict[str, int]:
        """Return the most memory of each process, in MiB."""
        pids = {"serve": self.process.pid}
        children = [pid for pid in descendants(self.process.pid) if pid not in self.workers]
        pids |= {f"parent {place}": pid for place, pid in enumerate(children)}
        pids |= {f"worker {place}": pid for place, pid in enumerate(self.workers)}
        return {name: resident(pid, "VmHWM") // MIB for name, pid in pids.items()}


class Site(Protocol):
    """What attackers reach: a server, or what stands in front of one."""

    def client(self) -> httpx.Client: ...


class Attackers:
    """Accounts with a token and an API each, and visitors without one: each attack returns the statuses it got."""

    def __init__(self, server: Site, accounts: list[tuple[str, str]]) -> None:
        self.server, self.accounts = server, accounts

    def lists(self) -> Counter[int]:
        """Three threads read 50 contacts of 1.2 MB each."""

        def ask(number: int) -> int:
            token, _ = self.accounts[number % len(self.accounts)]
            with self.server.client() as client:
                return client.post("/api/v7/inbox/users", json={}, headers=bearing(token)).status_code

        return at_once(3, ask, range(24))

    def passwords(self) -> Counter[int]:
        """Visitors at 32 addresses send passwords of 0.4 MB."""
        return at_once(32, lambda number: self.post(LOG_IN, number, {"password": "x" * 400_000}), range(96))

    def old_hashes(self) -> Counter[int]:
        """Visitors at 32 addresses send passwords that are hashed."""
        return at_once(32, lambda number: self.post(LOG_IN, number, {"password": f"wrong {number}"}), range(96))

    def sign_ups(self) -> Counter[int]:
        form = {"password1": "three otters read the tide"}
        return at_once(
            40, lambda number: self.post(SIGN_UP, number, form | {"email": f"new{number}@example.com"}), range(40)
        )

    def imports(self) -> Counter[int]:
        """Each account sends two of the largest imports at once."""
        tags = [f"t{number}" for number in range(50)]

        def upload(number: int) -> int:
            token, _ = self.accounts[number % len(self.accounts)]
            rows = [row(email=f"{number}-{place}@example.com", tags=tags) for place in range(1_000)]
            with self.server.client() as client:
                answer = client.post("/api/v7/inbox/users/import", json=rows, headers=bearing(token))
            return answer.status_code

        return at_once(2 * len(self.accounts), upload, range(4 * len(self.accounts)))

    def calls(self) -> Counter[int]:
        """Each account calls a server whose responses are as large as allowed, or larger, compressed or not."""

        def run(number: int) -> int:
            token, api = self.accounts[number % len(self.accounts)]
            path = f"/api/v7/third-party-apis/{api}/run"
            with self.server.client() as client:
                return client.post(path, json={}, headers=bearing(token)).status_code

        return at_once(2 * len(self.accounts), run, range(6 * len(self.accounts)))

    def exports(self) -> Counter[int]:
        """Each account downloads its security log in four threads."""

        def export(number: int) -> int:
            with self.server.client() as client:
                email = f"person{number % len(self.accounts)}@example.com"
                if self.log_in(client, number, {"login": email, "password": PASSWORD}) != httpx.codes.FOUND:
                    return httpx.codes.SERVICE_UNAVAILABLE
                return client.get(LOG).status_code

        return at_once(4, export, range(2 * len(self.accounts)))

    def post(self, page: str, number: int, fields: dict[str, str]) -> int:
        with self.server.client() as client:
            return self.log_in(client, number, {"login": "person0@example.com"} | fields, page)

    def log_in(self, client: httpx.Client, number: int, fields: dict[str, str], page: str = LOG_IN) -> int:
        client.headers["X-Forwarded-For"] = f"198.51.{number}.7"
        form = fields | {"csrfmiddlewaretoken": csrf_token(client.get(page))}
        return client.post(page, data=form).status_code


ATTACKS = [
    Attackers.lists,
    Attackers.passwords,
    Attackers.old_hashes,
    Attackers.sign_ups,
    Attackers.imports,
    Attackers.calls,
    Attackers.exports,
]


def at_once(threads: int, act: Callable[[int], int], numbers: range) -> Counter[int]:
    with ThreadPoolExecutor(threads) as pool:
        return Counter(pool.map(act, numbers))


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def far_sides() -> Iterator[list[LocalServer]]:
    """Servers that answer with 1 MiB of JSON in small pieces, and with 2 MiB."""
    most = json.dumps({f"key{number}": [number] for number in range(48_000)}).encode()
    assert len(most) < MIB
    with serving(response(most)) as large, serving(response(b"x" * 2 * MIB)) as too_large:
        yield [large, too_large]


def test_in_the_memory_of_its_unit_a_server_outlives_all_that_takes_much(
    tmp_path: Path, far_sides: list[LocalServer]
) -> None:
    with cage(BOUNDS["web"] * MIB) as bound, Caged(tmp_path, bound, OUTBOUND_ALLOWED_NETWORKS="127.0.0.0/8") as server:
        urls = [side.url for side in far_sides]
        made = server.manage(
            "shell", "--no-imports", "-v0", "-c", PREPARE.format(people=PEOPLE, password=PASSWORD, urls=urls)
        )
        assert made.returncode == 0, made.stderr
        accounts = [(token, api) for token, api in map(str.split, made.stdout.splitlines())]
        attackers, workers = Attackers(server, accounts), poll(lambda: server.workers)
        for attack in ATTACKS:
            bound.peak = 0
            statuses = attack(attackers)
            print(f"{attack.__name__}: {bound.peak // MIB} MiB, {dict(statuses)}, each {server.peaks}")
            assert server.workers == workers, f"{attack.__name__} has ended a process"
            assert statuses.keys() <= ANSWERS, attack.__name__
            # Where there are no control groups, nothing else bounds it.
            assert bound.peak <= BOUNDS["web"] * MIB, attack.__name__
        with server.client() as client:
            alive = client.get("/api/v7/token", headers=bearing(accounts[0][0])).status_code

    assert alive == httpx.codes.OK
    assert "Traceback" not in server.output
