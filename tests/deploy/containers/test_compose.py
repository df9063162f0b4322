"""All of compose.yaml, started as its first lines say, while people and programs use it."""

import re
import secrets
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cast import PASSWORD
from tests.deploy.containers.podman import Podman
from tests.nginx import HOST, write_certificate
from tests.resilience.load import PEOPLE, Call, Person, Program
from tests.server import ROOT, poll

pytestmark = pytest.mark.deployment

HTTPS = 443
WEB_1, WEB_2 = "botpenguin_web-1_1", "botpenguin_web-2_1"
CHECKED = ("botpenguin_postgres_1", "botpenguin_valkey_1", WEB_1, WEB_2)
SERVICES = {*CHECKED, "botpenguin_worker_1", "botpenguin_nginx_1"}
CALLS = [("GET", "/api/v7/token"), ("GET", "/healthz"), ("POST", "/api/v7/inbox/users")]
# What those answer to a valid token; the POST has no body.
ANSWERS = {200, 400, 415, 422}
# Enough to meet a node that stops in each of its states.
SEVERAL = 200


class Site:
    """A copy of `deploy/` whose services run."""

    def __init__(self, podman: Podman, folder: Path) -> None:
        self.podman, self.folder = podman, folder
        self.tls = ssl.create_default_context()
        self.tls.check_hostname = False

    def start(self) -> None:
        """Do what the first lines of compose.yaml say."""
        head = (self.folder / "compose.yaml").read_text().partition("\nname:")[0]
        *prepare, up = re.findall(r"^#   ((?:docker|chmod|chown) .*)$", head, re.MULTILINE)
        [made] = [self.do(command) for command in prepare if command.startswith("docker")]
        password = secrets.token_hex(16)
        env = "\n".join(re.findall(r"^#   ([A-Z_]+=.*)$", head, re.MULTILINE)).replace("PASSWORD", password)
        for secret in made.split():
            env = env.replace("=…", f"={secret}", 1)
        # The programs of these tests call more often than a token may.
        (self.folder / "env").write_text(f"{env}\nAPI_RATE_LIMIT=0\n")
        (self.folder / "postgres_password").write_text(password)
        (self.folder / "tls").mkdir()
        write_certificate(self.folder / "tls")
        self.tls.load_verify_locations(self.folder / "tls" / f"{HOST}.pem")
        for command in prepare:
            if not command.startswith("docker"):
                self.do(command)
        self.do(up)
        self.podman.wait_until_healthy(*CHECKED)

    def do(self, command: str) -> str:
        done = self.podman.attempt("sh", "-euc", command, cwd=self.folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def address(self, container: str) -> str:
        return self.podman.run(
            "inspect", "--format", "{{.NetworkSettings.Networks.botpenguin_front.IPAddress}}", container
        ).strip()

    def visitor(self) -> Person:
        def name_the_host(request: httpx.Request) -> None:
            request.extensions["sni_hostname"] = HOST

        return Person(
            f"https://localhost:{HTTPS}",
            verify=self.tls,
            headers={"Host": HOST, "Referer": f"https://{HOST}/"},
            event_hooks={"request": [name_the_host]},
        )

    def program(self) -> Program:
        return Program(HTTPS, tls=self.tls, host=HOST)

    def failures(self, calls: list[Call]) -> list[str]:
        """What programs were not answered, and what nginx wrote about it."""
        lines = self.podman.logs("botpenguin_nginx_1").splitlines()
        failed = [
            f"{call.status} after {call.ended_at - call.began_at} s" for call in calls if call.status not in ANSWERS
        ]
        return failed + [line for line in lines if '"status": 5' in line or "no live upstreams" in line]

    @contextmanager
    def under_load(self, token: str) -> Iterator[list[Call]]:
        """Let programs call until the block ends, and pass what they were answered."""
        calls: list[Call] = []
        is_over = threading.Event()

        def walk(first: int) -> None:
            number, program = first, self.program()
            while not is_over.wait(0.05):
                number += 1
                calls.append(program.send(token, *CALLS[number % len(CALLS)]))

        with self.podman.sandbox.network():
            walkers = [threading.Thread(target=walk, args=(first,)) for first in range(4)]
            for walker in walkers:
                walker.start()
            try:
                yield calls
            finally:
                is_over.set()
                for walker in walkers:
                    walker.join()


@pytest.fixture(scope="module")
def site(podman: Podman, image: str, other_images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site") / "deploy"
    shutil.copytree(ROOT / "deploy", folder)
    running = Site(podman, folder)
    running.start()
    made = PEOPLE.format(count=1, password=PASSWORD)
    podman.run("exec", WEB_1, "python", "manage.py", "shell", "--command", made)
    yield running
    running.do("docker compose down --volumes")


@pytest.fixture
def token(podman: Podman, site: Site) -> str:
    with podman.sandbox.network():
        return site.visitor().copy()


def test_every_service_runs_within_its_bounds(podman: Podman, site: Site) -> None:
    running = podman.run("ps", "--format", "{{.Names}}").split()

    assert set(running) == SERVICES
    limits = {name: podman.inspect(name, "HostConfig.Memory") for name in (WEB_1, WEB_2, "botpenguin_worker_1")}
    assert limits == {WEB_1: str(1280 << 20), WEB_2: str(1280 << 20), "botpenguin_worker_1": str(256 << 20)}
    for name in (WEB_1, WEB_2, "botpenguin_worker_1", "botpenguin_nginx_1", "botpenguin_valkey_1"):
        assert podman.inspect(name, "HostConfig.ReadonlyRootfs") == "true", name


def test_a_person_logs_in_copies_and_revokes_behind_nginx(podman: Podman, site: Site) -> None:
    with podman.sandbox.network():
        alice, program = site.visitor(), site.program()
        old = alice.copy()
        before = program.send(old)

        revoked = alice.revoke()

        after = program.send(old)
        fresh = program.send(alice.copy())
    assert (before.status, revoked.status_code, after.status, fresh.status) == (200, 200, 401, 200)


def test_a_node_stops_under_load_and_no_request_fails(podman: Podman, site: Site, token: str) -> None:
    """nginx meets it while it drains, while it refuses connections, and while nothing has its address any more."""
    with site.under_load(token) as calls:
        poll(lambda: len(calls) > SEVERAL)
        podman.run("stop", "--time", "75", WEB_1)
        stopped = len(calls)
        poll(lambda: len(calls) > stopped + SEVERAL)

        podman.run("start", WEB_1)
        podman.wait_until_healthy(WEB_1)
        started = len(calls)
        poll(lambda: len(calls) > started + SEVERAL)

    assert site.failures(calls) == []


def test_a_container_made_anew_gets_requests_without_a_restart_of_nginx(podman: Podman, site: Site, token: str) -> None:
    before = podman.inspect(WEB_2, "Id"), site.address(WEB_2)

    with site.under_load(token) as calls:
        site.do("docker compose up --detach --no-deps --force-recreate web-2")
        podman.wait_until_healthy(WEB_2)
        poll(lambda: "/api/v7/inbox/users" in podman.logs(WEB_2))

    assert podman.inspect(WEB_2, "Id") != before[0]
    assert site.address(WEB_2) == before[1]
    assert site.failures(calls) == []
