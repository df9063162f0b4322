"""PostgreSQL under Patroni, etcd and haproxy, from the files of `deploy/ha`. Only names, addresses and paths differ."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import yaml

from tests.deploy.network import Machine, add_address
from tests.postgresql import ACCOUNT
from tests.processes import descendants, is_alive
from tests.server import ROOT, TRUSTS_NOBODY, poll

DEPLOY = ROOT / "deploy" / "ha"
PATRONI = ROOT / ".venv" / "deployment" / "bin"
FIRST_ETCD, FIRST_MEMBER = 31, 11
NAMES = ("1", "2", "3")
CONFIGURATION: dict[str, Any] = yaml.safe_load((DEPLOY / "patroni.yml").read_text())
SUPERUSER: dict[str, str] = CONFIGURATION["postgresql"]["authentication"]["superuser"]
PASSWORD = SUPERUSER["password"]
# In seconds.
SOON, TO_REJOIN = 2, 180


class Etcd:
    """One etcd, at an address of its own on the bridge."""

    def __init__(self, folder: Path, index: int) -> None:
        address = f"10.0.0.{FIRST_ETCD + index}"
        add_address(FIRST_ETCD + index)
        lines = [line for line in (DEPLOY / "etcd.env").read_text().splitlines() if line and not line.startswith("#")]
        settings = dict(line.split("=", 1) for line in lines)
        own = {
            name: value.replace("10.0.0.31", address).replace("etcd-1", f"etcd-{index + 1}")
            for name, value in settings.items()
            if name != "ETCD_INITIAL_CLUSTER"
        }
        own["ETCD_DATA_DIR"] = str(folder / f"etcd-{index + 1}")
        with (folder / f"etcd-{index + 1}.log").open("wb") as log:
            environment = {"PATH": os.environ["PATH"]} | settings | own
            self.process = subprocess.Popen(["etcd"], env=environment, stdout=log, stderr=log, start_new_session=True)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Member:
    """A machine with Patroni and PostgreSQL."""

    def __init__(self, folder: Path, index: int) -> None:
        self.machine = Machine(FIRST_MEMBER + index)
        self.address = self.machine.address
        self.name, self.folder = f"pg-{index + 1}", folder / f"pg-{index + 1}"
        self.folder.mkdir(mode=0o700)
        self.file = self.folder / "patroni.yml"
        text = (DEPLOY / "patroni.yml").read_text()
        for old, new in (
            ("name: pg-1", f"name: {self.name}"),
            ("10.0.0.11", self.address),
            ("/var/lib/postgresql/15/botpenguin", str(self.folder / "data")),
            ("/var/lib/postgresql/.patroni.pgpass", str(self.folder / "pgpass")),
            ("/var/run/postgresql", str(self.folder)),
        ):
            assert old in text, old
            text = text.replace(old, new)
        self.file.write_text(text)
        for path in (self.folder, self.file):
            shutil.chown(path, ACCOUNT, ACCOUNT)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = self.machine.start(
                PATRONI / "python",
                PATRONI / "patroni",
                self.file,
                account=ACCOUNT,
                cwd=self.folder,
                env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8"},
                stdout=log,
                stderr=log,
            )

    def query(self, statement: str, database: str = "postgres") -> list[Any]:
        """Return the first column, as the superuser reads it here and not by haproxy."""
        url = f"postgres://postgres:{PASSWORD}@{self.address}/{database}?connect_timeout={SOON}"
        with psycopg.connect(url, autocommit=True) as connection:
            return [row[0] for row in connection.execute(statement.encode())]

    def family(self) -> list[int]:
        """Patroni, PostgreSQL and all of their processes that live."""
        found = []
        if self.process and self.process.poll() is None:
            found += [self.process.pid, *descendants(self.process.pid)]
        note = self.folder / "data" / "postmaster.pid"
        if note.exists() and (lines := note.read_text().split()):
            found += [int(lines[0]), *descendants(int(lines[0]))]
        return [pid for pid in dict.fromkeys(found) if is_alive(pid)]

    def send(self, number: int) -> list[int]:
        family = self.family()
        for pid in family:
            os.kill(pid, number)
        return family

    def freeze_agent(self) -> None:
        """Stop Patroni and leave PostgreSQL as it is."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def freeze(self) -> None:
        # A process that was started meanwhile is caught by the second round.
        self.send(signal.SIGSTOP)
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def kill(self) -> None:
        """End all processes at once, as a power cut does."""
        self.freeze()
        family = self.send(signal.SIGKILL)
        if self.process:
            self.process.wait()
        poll(lambda: not any(is_alive(pid) for pid in family))

    def is_primary(self) -> bool:
        try:
            return self.query("SELECT NOT pg_is_in_recovery()") == [True]
        except psycopg.Error:
            return False


class Cluster:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etcds = [Etcd(folder, index) for index in range(3)]
        self.members = [Member(folder, index) for index in range(3)]

    def boot(self) -> None:
        self.members[0].start()
        poll(self.members[0].is_primary)
        for member in self.members[1:]:
            member.start()
        self.wait_until_whole()

    def members_seen(self) -> list[dict[str, Any]]:
        """What Patroni says of the members, by the first that answers."""
        for member in self.members:
            try:
                answer = httpx.get(
                    f"http://{member.address}:8008/cluster", timeout=SOON, trust_env=False, verify=TRUSTS_NOBODY
                )
            except httpx.TransportError:
                continue
            found: list[dict[str, Any]] = answer.json()["members"]
            return found
        return []

    def name_of(self, role: str) -> str:
        return str(next(found["name"] for found in self.members_seen() if found["role"] == role))

    def is_whole(self) -> bool:
        """Whether both standbys follow the primary. One that is rewound only runs."""
        seen = sorted((found["role"], found["state"]) for found in self.members_seen())
        return seen == [("leader", "running"), ("sync_standby", "streaming"), ("sync_standby", "streaming")]

    def wait_until_whole(self) -> None:
        poll(self.is_whole, TO_REJOIN)

    def primary(self, *, but: Member | None = None) -> Member | None:
        """Who says that it is the primary, when asked directly."""
        return next((member for member in self.members if member is not but and member.is_primary()), None)

    def standbys(self, of: Member) -> list[Member]:
        return [member for member in self.members if member is not of]

    def switch_over(self) -> None:
        """Run what docs/failover.md says."""
        leader, candidate = self.name_of("leader"), self.name_of("sync_standby")
        patronictl: list[str | Path] = [PATRONI / "python", PATRONI / "patronictl", "-c", self.members[0].file]
        done = subprocess.run(
            [*patronictl, "switchover", "--leader", leader, "--candidate", candidate, "--force"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Successfully switched over" in done.stdout, done.stdout + done.stderr

    def stop(self) -> None:
        for member in self.members:
            member.kill()
            member.machine.remove()
        for etcd in self.etcds:
            etcd.stop()


class Haproxy:
    """The fence of one node. Two nodes on one machine need two addresses."""

    def __init__(self, folder: Path, address: str) -> None:
        self.address = address
        text = (DEPLOY / "haproxy.cfg").read_text()
        assert "127.0.0.1:5000" in text
        self.file, self.log = folder / f"haproxy-{address}.cfg", folder / f"haproxy-{address}.log"
        self.file.write_text(text.replace("127.0.0.1:5000", f"{address}:5000"))
        self.process = self._start()

    def _start(self, *more: str) -> subprocess.Popen[bytes]:
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        with self.log.open("ab") as log:
            command = [program, "-db", "-f", str(self.file), *more]
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def reload(self) -> None:
        """Start another process that has the old one stop, as `systemctl reload haproxy` does, and wait for its end."""
        old, self.process = self.process, self._start("-sf", str(self.process.pid))
        old.wait(60)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """Boot a cluster in this network during the block."""
    with ExitStack() as stack:
        cluster = Cluster(folder)
        stack.callback(cluster.stop)
        cluster.boot()
        yield cluster
