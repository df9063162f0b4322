"""`python -m tests.postgresql COMMAND ...` runs a command beside a PostgreSQL of its own.

The server keeps its files in a temporary folder, listens on a free port of 127.0.0.1 and
ends with the command. `DATABASE_URL` gives the command its address. `POSTGRESQL_BIN` names a folder
with the programs of a wheel, instead of the system's.
"""

import os
import runpy
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import prepared
from tests.processes import descendants, is_alive, kill
from tests.server import free_port, poll

PROGRAMS = "POSTGRESQL_BIN"
# PostgreSQL refuses to run as root.
ACCOUNT = "postgres"
SIZE = "-c max_connections=300"
# This server ends with its tests, so it need not survive a power cut. Tests that harm a server start their own.
NOT_ON_DISK = "-c fsync=off -c full_page_writes=off"


class PostgreSQL:
    """A server with its files in `folder`, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.user = ACCOUNT if os.geteuid() == 0 else None
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        if self.user:
            shutil.chown(folder, self.user)
        self.run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")

    def start(self, more: str = "") -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self.run("pg_ctl", "start", "--wait", f"--log={self.folder / 'log'}", f"--options={options} {SIZE} {more}")

    def new_database(self) -> str:
        """Make an empty database, and return its URL."""
        return new_database(self.url)

    def kill(self) -> None:
        """End all of its processes at once, as a crash of the machine does; `start` recovers what was committed."""
        note = self.folder / "data" / "postmaster.pid"
        postmaster = int(note.read_text().split()[0])
        # Stopped, it makes no child that would be missed.
        os.kill(postmaster, signal.SIGSTOP)
        family = [postmaster, *descendants(postmaster)]
        for pid in family:
            kill(pid)
        poll(lambda: not any(is_alive(pid) for pid in family))
        # Until its parent has taken note of its end, which may last, a new one would believe these.
        for lock in (note, self.folder / f".s.PGSQL.{self.port}.lock"):
            lock.unlink()

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(program_path(program)), "--pgdata", str(self.folder / "data"), *arguments],
            cwd=self.folder,
            user=self.user,
            stdout=subprocess.DEVNULL,
            check=True,
            # Ctrl-C is for the command; the server ends after it.
            start_new_session=True,
        )


def new_database(beside: str, template: str = "", *, encoding: str = "") -> str:
    """Create a database on another's server, empty or as a copy of an unused template. Return its URL."""
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(beside, autocommit=True) as connection:
        of = f"template0 ENCODING '{encoding}' LOCALE 'C'" if encoding else template or "template1"
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {of}".encode())
    return urlsplit(beside)._replace(path=f"/{name}").geturl()


def copied(url: str) -> str:
    """Copy a database while it is used, and return the URL of the copy."""
    copy = new_database(url)
    dump = subprocess.run([program_path("pg_dump"), url], stdout=subprocess.PIPE, check=True)
    load: list[str | Path] = [program_path("psql"), "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    subprocess.run([*load, copy], input=dump.stdout, check=True)
    return copy


@contextmanager
def server(more: str = "") -> Iterator[PostgreSQL]:
    """Run a server during the block, which may stop and start it."""
    with tempfile.TemporaryDirectory(prefix="botpenguin-postgresql-") as name:
        running = PostgreSQL(Path(name))
        running.start(more)
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server during the block, and yield the URL of its database."""
    with server() as running:
        yield running.url


@contextmanager
def connected(url: str, direct_url: str = "") -> Iterator[None]:
    """Connect Django to a database during the block, in this thread, with the project's settings."""
    # Here, since a server of PostgreSQL is started where there are no settings too.
    from django.conf import settings  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415
    from django.db.utils import load_backend  # noqa: PLC0415

    from botpenguin import settings as settings_module  # noqa: PLC0415
    from botpenguin.configuration import poolers  # noqa: PLC0415

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        patch.setenv(poolers.NAME, direct_url) if direct_url else patch.delenv(poolers.NAME, raising=False)
        found = runpy.run_path(settings_module.__file__)
        database = connections.configure_settings(found["DATABASES"])["default"]
        # Two threads that begin at the same moment may break off under coverage in Python 3.11.
        database["OPTIONS"]["pool"]["num_workers"] = 1
        patch.setattr(settings, "DIRECT_DATABASE", found["DIRECT_DATABASE"])
        connection = load_backend(database["ENGINE"]).DatabaseWrapper(database, "default")
        patch.setitem(settings.DATABASES, "default", database)
        before, connections["default"] = connections["default"], connection
        try:
            yield
        finally:
            connections["default"] = before
            connection.close()
            connection.close_pool()


def prepared_database(running: PostgreSQL) -> str:
    """Create a migrated database, the template of the tests' databases, and return its name."""
    url = running.new_database()
    with tempfile.TemporaryDirectory() as folder:
        prepared.prepare(Path(folder) / "var", DATABASE_URL=url)
    return url.rpartition("/")[2]


def program_path(program: str) -> Path:
    """Find a program of PostgreSQL: in `POSTGRESQL_BIN`, on PATH, or where Debian keeps those of every version."""
    if PROGRAMS in os.environ:
        return Path(os.environ[PROGRAMS], program)
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: int(path.parts[4]))
    found = shutil.which(program) or (debian[-1] if debian else None)
    if found is None:
        sys.exit(f"{program} is missing. Run: sudo apt-get install --no-install-recommends postgresql")
    return Path(found)


@contextmanager
def readable_programs() -> Iterator[None]:
    """Copy the programs of `POSTGRESQL_BIN` to where the account of the server can read them."""
    if PROGRAMS not in os.environ:
        yield
        return
    programs = Path(os.environ[PROGRAMS]).absolute()
    package = programs.parents[1]
    with tempfile.TemporaryDirectory(prefix="botpenguin-postgresql-") as name, pytest.MonkeyPatch.context() as patch:
        copy = Path(name)
        # A wheel keeps its libraries beside its package.
        for part in package.parent.glob(f"{package.name}*"):
            shutil.copytree(part, copy / part.name)
        for path in (copy, *copy.rglob("*")):
            path.chmod(path.stat().st_mode | 0o555)
        patch.setenv(PROGRAMS, str(copy / programs.relative_to(package.parent)))
        yield


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let a signal end the block in order, so that what it has started ends too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def main() -> None:
    with stopped_by_signals(), readable_programs(), server(NOT_ON_DISK) as running:
        shown = {"DATABASE_URL": running.url, prepared.TEMPLATE: prepared_database(running)}
        command = subprocess.run(sys.argv[1:], env=os.environ | shown, check=False)
    sys.exit(command.returncode)


if __name__ == "__main__":
    main()
