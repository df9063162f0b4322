"""The units of `deploy/systemd` under a real systemd: started, shut in, bounded, restarted and killed."""

import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import postgresql
from tests.cast import PASSWORD
from tests.deploy.machine import Machine
from tests.deploy.test_memory_bounds import BOUNDS
from tests.deploy.units import CHECK, FIRST_PERSON, PEOPLE_MADE, WORKER, Journal, Memory, Units
from tests.nginx import Nginx
from tests.resilience.behind_nginx import options, program, visitor
from tests.resilience.cages import MIB
from tests.resilience.load import Hammer, Person, opened
from tests.resilience.test_memory import ANSWERS, PREPARE, Attackers

pytestmark = pytest.mark.deployment

PROGRAMS = 6
REAL_IP = "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;"
# By what the process sees of the file system. The state, and folders of its own that go when it ends.
WRITABLE = "find / -path /proc -prune -o -path /var/lib/botpenguin -prune -print -o -type d -writable -print"
ITS_OWN = ["/dev/mqueue", "/dev/shm", "/tmp", "/var/lib/botpenguin", "/var/tmp"]  # noqa: S108 - private ones
OF_OTHERS = [f"{place}/of-another" for place in ("/dev/mqueue", "/dev/shm", "/home", "/root", "/tmp")]  # noqa: S108


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[Units, Journal]]:
    """Yield the units, and the journal of their first start, on an empty database of SQLite."""
    with Machine() as machine:
        units = Units(machine)
        machine.run("sh", "-ec", f"for path in {' '.join(OF_OTHERS)}; do > $path; done")
        units.install()
        journal = units.journal()
        units.make_people()
        yield units, journal


@pytest.fixture
def units(started: tuple[Units, Journal]) -> Units:
    return started[0]


@pytest.fixture
def people(units: Units, tmp_path: Path) -> Iterator[tuple[Nginx, list[Person]]]:
    with Nginx(tmp_path, *units.ports) as nginx:
        yield nginx, [visitor(nginx, FIRST_PERSON + number) for number in range(PEOPLE_MADE)]
        while opened:
            opened.pop()()


class Site:
    """A client names its address, as test_memory.py asks for."""

    def __init__(self, nginx: Nginx) -> None:
        self.nginx = nginx

    def client(self) -> httpx.Client:
        url = f"https://localhost:{self.nginx.https}"
        return httpx.Client(base_url=url, trust_env=False, timeout=60, **options(self.nginx))


class Revoking:
    """People who revoke their tokens until the block ends, and the statuses that they got."""

    def __init__(self, people: list[Person]) -> None:
        self.statuses: list[int] = []
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._revoke, args=(person,)) for person in people]

    def _revoke(self, person: Person) -> None:
        while not self._is_over.wait(0.2):
            self.statuses.append(person.revoke().status_code)

    def __enter__(self) -> "Revoking":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()


def test_all_units_start_at_once_on_an_empty_database_without_an_error(started: tuple[Units, Journal]) -> None:
    units, journal = started

    checked = units.sh(CHECK)

    assert units.states() == ["active"] * 3
    assert journal.errors == []
    assert journal.count("Updating the database") == journal.count("The first account:") == 1
    # The worker may be the last to start.
    assert journal.count("Mail waits") == journal.count("Mail waits for migrations") <= 1
    assert journal.count("curl") == 0
    assert "System check identified" in checked


def test_the_same_on_postgresql(units: Units) -> None:
    after = units.cursor()

    with postgresql.server() as database:
        try:
            units.machine.run("systemctl", "stop", *units.names)
            units.write_settings(DATABASE_URL=database.new_database())
            units.machine.run("systemctl", "start", *units.names)
            states = units.states()
        finally:
            units.machine.run("systemctl", "stop", *units.names)
            units.write_settings()
            units.machine.run("systemctl", "start", *units.names)

    journal = units.journal(after=after)
    assert states == units.states() == ["active"] * 3
    assert journal.errors == []
    assert journal.count("Updating the database") == 1
    assert journal.count("Mail waits") == journal.count("Mail waits for migrations") <= 1


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_sandbox_holds(units: Units, number: int) -> None:
    unit, machine = units.names[number], units.machine
    family = machine.pids(unit)
    status = [dict(line.split(":\t", 1) for line in text.splitlines()) for text in map(status_of, family)]
    inside = ["nsenter", "--mount", f"--target={units.show(unit, 'MainPID')}"]
    user, group = (machine.run("id", kind, "botpenguin").strip() for kind in ("--user", "--group"))
    accounts = [[f"--setuid={user}", f"--setgid={group}"], []]

    by_user, by_root = (
        machine.run(*inside, *account, "sh", "-c", f"{WRITABLE} 2>&-", check=False) for account in accounts
    )
    seen = machine.run(*inside, "sh", "-c", f"cat {' '.join(OF_OTHERS)} 2>&1; true")
    processes = machine.run(*inside, *accounts[0], "sh", "-c", "cd /proc && echo [0-9]*").split()

    capabilities = {line[name] for line in status for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    assert capabilities == {"0" * 16}
    assert {(line["NoNewPrivs"], line["Seccomp"]) for line in status} == {("1", "2")}
    assert {line["Uid"] for line in status} == {"\t".join([user] * 4)}
    assert sorted(by_user.split()) == ITS_OWN
    assert {path for path in by_root.split() if not path.startswith("/dev/")} == set(ITS_OWN[2:])
    assert len(re.findall("No such file|Permission denied", seen)) == len(OF_OTHERS)
    assert not {"1", "[0-9]*"} & set(processes)


def status_of(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


@pytest.mark.parametrize(("number", "kind"), [(0, "web"), (1, "web"), (2, "worker")])
def test_the_kernel_has_the_memory_bound_of_each_unit(units: Units, number: int, kind: str) -> None:
    bounds = {Memory(pid).bound for pid in units.machine.pids(units.names[number])}

    assert bounds == {BOUNDS[kind] * MIB}


def test_the_kernel_ends_what_exceeds_its_bound(units: Units) -> None:
    bounded = ["systemd-run", "--pipe", "--quiet", "--property=MemoryMax=64M", "python3", "-c"]

    printed = [units.machine.run(*bounded, f"print(len(b' ' * {size}))", check=False) for size in (MIB, 99 * MIB)]

    assert printed == [f"{MIB}\n", ""]


def test_the_largest_requests_end_no_process(units: Units, tmp_path: Path) -> None:
    unit = units.nodes[0]
    before = units.machine.pids(unit)
    memory = Memory(before[0])
    printed = units.shell(PREPARE.format(people=1, password=PASSWORD, urls=["https://api.example.com/"]))
    accounts = [(token, api) for token, api in map(str.split, printed.splitlines())]
    statuses = {}

    nginx = Nginx(tmp_path, units.ports[0])
    (nginx.folder / "conf.d" / "real_ip.conf").write_text(REAL_IP)
    with nginx:
        attackers = Attackers(Site(nginx), accounts)
        for attack in (Attackers.lists, Attackers.exports, Attackers.old_hashes):
            statuses[attack.__name__] = attack(attackers)

    print(f"the largest requests: {memory.in_use_at_most // MIB} MiB with the cache of files, {statuses}")
    assert [found.keys() - ANSWERS for found in statuses.values()] == [set()] * len(statuses)
    assert all(found[httpx.codes.OK] for found in statuses.values())
    assert memory.kills == 0
    assert units.machine.pids(unit) == before


def test_restarts_behind_nginx_fail_no_request(units: Units, people: tuple[Nginx, list[Person]]) -> None:
    nginx, (reader, *others) = people
    programs = [program(nginx, f"127.0.0.{number}") for number in range(10, 10 + PROGRAMS)]
    token = reader.copy()

    with Hammer(programs, lambda _: token, pause=0.05).running() as hammer, Revoking(others) as revoking:
        for unit in units.nodes * 2:
            units.machine.run("systemctl", "restart", unit)

    print(f"restarts: {len(hammer.calls)} reads, {len(revoking.statuses)} revokes")
    assert hammer.statuses == {httpx.codes.OK}
    assert set(revoking.statuses) == {httpx.codes.OK}


def test_what_is_killed_starts_again_and_fails_no_read(units: Units, people: tuple[Nginx, list[Person]]) -> None:
    nginx, (reader, *others) = people
    programs = [program(nginx, f"127.0.0.{number}") for number in range(10, 10 + PROGRAMS)]
    token, killed = reader.copy(), [units.nodes[0], WORKER]
    restarts = [int(units.show(unit, "NRestarts")) for unit in killed]

    with Hammer(programs, lambda _: token, pause=0.05).running() as hammer, Revoking(others) as revoking:
        for unit in killed:
            os.kill(units.machine.pids(unit)[0], signal.SIGKILL)
        for unit, before in zip(killed, restarts, strict=True):
            units.wait_for_restart(unit, before)

    print(f"a SIGKILL: {len(hammer.calls)} reads, {Counter(revoking.statuses)} revokes")
    assert hammer.statuses == {httpx.codes.OK}
    # What was under way at the killed process is not sent twice.
    assert {httpx.codes.OK} <= set(revoking.statuses) <= {httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE}
