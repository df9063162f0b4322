"""`python -m tests.pgbouncer COMMAND ...` runs a command beside a PostgreSQL and a PgBouncer of its own.

`DATABASE_URL` gives the command the address of PgBouncer, which has few connections to PostgreSQL, and
`DATABASE_DIRECT_URL` that of PostgreSQL itself.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests import postgresql, prepared, server
from tests.postgresql import PostgreSQL
from tests.server import ROOT, free_port, poll

DEPLOY = ROOT / "deploy" / "pgbouncer" / "pgbouncer.ini"
PASSWORD = "hunter2"
# Small, so that requests take turns.
POOL_SIZE = 5
ROLES = ("postgres", "web")


class PgBouncer:
    """A pooler with the configuration of `deploy/`. Only ports, paths and its size differ."""

    def __init__(self, folder: Path, behind: PostgreSQL, more: str = "") -> None:
        self.folder, self.port, self.behind = folder, free_port(), behind
        given = DEPLOY.read_text()
        for old, new in (
            ("port=5432", f"port={behind.port}"),
            ("listen_port = 6432", f"listen_port = {self.port}"),
            ("unix_socket_dir = /var/run/postgresql", "unix_socket_dir ="),
            ("/var/log/postgresql", f"{folder}"),
            ("/var/run/postgresql", f"{folder}"),
            ("/etc/pgbouncer", f"{folder}"),
            ("default_pool_size = 20", f"default_pool_size = {POOL_SIZE}"),
        ):
            assert old in given
            given = given.replace(old, new)
        (folder / "pgbouncer.ini").write_text(f"{given}\n{more}\n")
        (folder / "userlist.txt").write_text("".join(f'"{role}" "{PASSWORD}"\n' for role in ROLES))
        for path in (folder, *folder.iterdir()):
            if behind.user:
                shutil.chown(path, behind.user)

    def url(self, direct: str) -> str:
        """Return the address through the pooler of a database that has this address."""
        return urlsplit(direct)._replace(netloc=f"postgres:{PASSWORD}@127.0.0.1:{self.port}").geturl()

    def start(self) -> None:
        found = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        if not Path(found).exists():
            sys.exit("pgbouncer is missing. Run: sudo apt-get install --no-install-recommends pgbouncer")
        # It refuses to run as root.
        self.process = subprocess.Popen(
            [found, "--quiet", str(self.folder / "pgbouncer.ini")],
            user=self.behind.user,
            extra_groups=[] if self.behind.user else None,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        poll(self._answers)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(self.behind.url), connect_timeout=3).close()
        except psycopg.OperationalError:
            assert self.process.poll() is None, (self.folder / "pgbouncer.log").read_text()
            return False
        return True

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@contextmanager
def pooler(behind: PostgreSQL, more: str = "") -> Iterator[PgBouncer]:
    """Run a pooler during the block, which may stop and start it."""
    with tempfile.TemporaryDirectory(prefix="botpenguin-pgbouncer-") as name:
        running = PgBouncer(Path(name), behind, more)
        running.start()
        try:
            yield running
        finally:
            running.stop()


def addresses(running: PgBouncer, direct: str) -> dict[str, str]:
    """Return the settings of a node that reaches a database through the pooler."""
    return {"DATABASE_URL": running.url(direct), "DATABASE_DIRECT_URL": direct}


def set_timeouts(**where: str) -> subprocess.CompletedProcess[str]:
    """Run the command that sets the timeouts, as an operator does."""
    with tempfile.TemporaryDirectory() as folder:
        environment = server.environment(Path(folder), **prepared.SECRETS, **where)
        done = server.run(sys.executable, "manage.py", "set_database_timeouts", env=environment)
    assert done.returncode == 0, done.stderr
    return done


def main() -> None:
    with (
        postgresql.stopped_by_signals(),
        postgresql.server(postgresql.NOT_ON_DISK) as behind,
        pooler(behind) as running,
    ):
        shown = addresses(running, behind.url)
        set_timeouts(**shown)
        shown |= {prepared.TEMPLATE: postgresql.prepared_database(behind)}
        command = subprocess.run(sys.argv[1:], env=os.environ | shown, check=False)
    sys.exit(command.returncode)


if __name__ == "__main__":
    main()
