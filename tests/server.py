"""Starts the real server for tests: `python -m botpenguin.server` on a free port, with its own state."""

import os
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, unquote

import httpx

from tests.processes import command_line, descendants, kill

Found = TypeVar("Found")

ROOT = Path(__file__).resolve().parent.parent
SQLITE = "sqlite:///"
# What does not come at all costs this once; what is slow is waited for, on however busy a machine.
SECONDS_TO_START = 180
# For plain HTTP: where nothing else is said, each client of httpx reads all certificates first, for 30 ms.
TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# By which coverage finds its way into the processes that a test starts.
COVERAGE = "COVERAGE_PROCESS_CONFIG"
# What tests.settings puts into the environment of the tests themselves, and what a server must find by itself.
SETTINGS = re.compile(
    r"(SECRET_KEY|TOKEN_KEYS|DATABASE_(DIRECT_)?URL|CACHE_URL|PUBLIC_URL|ALLOWED_HOSTS|CSRF_TRUSTED_ORIGINS|TRUSTED_PROXIES|HTTPS"
    r"|EMAIL_URL|OUTBOUND_[A-Z_]+|ENV_FILE|STATE_DIR|API_RATE_LIMIT|API_REFUSED_LIMIT|HOST|PORT|WORKERS|THREADS"
    r"|CA_FILE|GITHUB_KEYS_URL|SSL_CERT_FILE|MAIL_WORKER|DRAIN_SECONDS|LOG_FORMAT|METRICS_\w+|DEBUG|SIGN_UP\w*|EVENTS_KEPT_DAYS|EVENTS_AN_HOUR|PROMETHEUS_\w+|DJANGO_.*)"
)


class Server:
    """A server with its state in `folder`. A second server there finds the state of the first.

    Settings are passed as keyword arguments: `Server(tmp_path, WORKERS="1", SIGN_UP="off")`.
    The database is migrated and the static files are collected already. If the tests run on PostgreSQL, the server
    gets a new PostgreSQL database in its `.env`, unless `DATABASE_URL` is passed.
    """

    # Nearly all that a server and the commands beside it run is covered by tests in their own process, where it costs
    # far less.
    is_covered = False

    # Where the project lies.
    root = ROOT

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = int(settings.get("PORT") or free_port())
        self.url = f"http://localhost:{self.port}"
        self.environment = environment(folder, **{"PORT": str(self.port)} | settings)
        if not self.is_covered:
            self.environment.pop(COVERAGE, None)
        self.log = folder / f"server-{self.port}.log"

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        self.prepare()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "botpenguin.server"],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def prepare(self) -> None:
        # Here, since what is prepared needs this module.
        from tests import prepared  # noqa: PLC0415

        state = Path(self.environment["STATE_DIR"])
        if state.exists() or not (found := prepared.state()):
            return
        is_elsewhere = "DATABASE_URL" in self.environment
        url = None if is_elsewhere else prepared.database_on_postgresql()
        unused = prepared.DATABASE if is_elsewhere or url else ""
        shutil.copytree(found, state, ignore=shutil.ignore_patterns(unused))
        write_secrets(self.env_file, **prepared.addresses(url) if url else {})

    @property
    def env_file(self) -> Path:
        return Path(self.environment["ENV_FILE"])

    @property
    def database_url(self) -> str:
        """The address of its database: from the environment, else from `.env`, else the default in its folder.

        Behind a pooler that of PostgreSQL itself.
        """
        written = dict(re.findall("^(DATABASE_.*URL)=(.+)$", self.env_file.read_text(), re.MULTILINE))
        given: dict[str, str] = written | self.environment
        default = sqlite_url(Path(self.environment["STATE_DIR"]) / "db.sqlite3")
        return given.get("DATABASE_DIRECT_URL") or given.get("DATABASE_URL", default)

    @contextmanager
    def database(self) -> Iterator[Any]:
        """Connect to its database, SQLite or PostgreSQL, with a transaction for each statement."""
        with closing(connect(self.database_url)) as connection:
            yield connection

    def rows(self, query: str) -> list[Any]:
        with self.database() as connection:
            found: list[Any] = connection.execute(query).fetchall()
        return found

    @contextmanager
    def without(self, table: str) -> Iterator[None]:
        """Rename a table during the block, so that queries of it fail."""
        with self.database() as database:
            database.execute(f"ALTER TABLE {table} RENAME TO away")
            try:
                yield
            finally:
                database.execute(f"ALTER TABLE away RENAME TO {table}")

    def wait_until_ready(self) -> None:
        poll(self._is_ready, SECONDS_TO_START)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.output}"
        return responds(self.port)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, and return the exit status. Kill remaining child processes."""
        family = descendants(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout=90)
        finally:
            for pid in [self.process.pid, *family]:
                kill(pid)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=60, verify=TRUSTS_NOBODY)

    @property
    def output(self) -> str:
        return self.log.read_text()

    @property
    def first_account(self) -> tuple[str, str]:
        """The email and the password that the first start has printed."""
        match = re.search(r"The first account: (\S+) with the password (\S+)", self.output)
        assert match, f"no first account was printed:\n{self.output}"
        return match[1], match[2]

    @property
    def sent_mail(self) -> list[str]:
        """The mails that the worker has written, where no mail server is set."""
        return [text for path in (self.folder / "var" / "mail").glob("*.log") if (text := path.read_text())]

    @property
    def workers(self) -> list[int]:
        """The worker processes: Granian's descendants except Python's resource tracker."""
        for pid in descendants(self.process.pid):
            if b"botpenguin.server.granian" in command_line(pid):
                return [child for child in descendants(pid) if b"resource_tracker" not in command_line(child)]
        return []

    def manage(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` beside the server, on the same state."""
        return run(sys.executable, "manage.py", *arguments, env=self.environment | settings)

    def manage_in_background(self, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
        """Start `manage.py` beside the server, and leave it running."""
        command = [sys.executable, "manage.py", *arguments]
        env = self.environment | settings
        return subprocess.Popen(command, cwd=self.root, env=env, stdout=subprocess.PIPE, text=True)


class CoveredServer(Server):
    """A server for tests in which it, or a command beside it, runs lines that nothing else covers."""

    is_covered = True


class FirstServer(CoveredServer):
    """A server without prepared state: as after a clone, or on PostgreSQL as docs/deployment.md describes."""

    def prepare(self) -> None:
        # Here, since it needs this module.
        from tests import prepared  # noqa: PLC0415

        if not self.env_file.exists() and (url := prepared.database_on_postgresql(is_empty=True)):
            self.env_file.write_text("".join(f"{name}={value}\n" for name, value in prepared.addresses(url).items()))
            made = run(sys.executable, "-m", "botpenguin.bootstrap", "--new-database", env=self.environment)
            assert made.returncode == 0, made.stderr


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """The environment of this process without its settings, with the state in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not SETTINGS.fullmatch(name)}
    return kept | {"ENV_FILE": str(folder / ".env"), "STATE_DIR": str(folder / "var")} | settings


def write_secrets(path: Path, **more: str) -> None:
    """Write the secrets as a first start does. Beside an existing database the server would refuse to make them."""
    if not path.exists():
        settings = {"SECRET_KEY": secrets.token_urlsafe(48), "TOKEN_KEYS": secrets.token_urlsafe(32)} | more
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def sqlite_url(path: Path | str) -> str:
    return f"{SQLITE}{quote(str(path))}"


def connect(url: str) -> Any:
    if url.startswith(SQLITE):
        return sqlite3.connect(unquote(url.removeprefix(SQLITE)), isolation_level=None)
    # Of those who start servers, few have PostgreSQL's driver.
    import psycopg  # noqa: PLC0415

    return psycopg.connect(url, autocommit=True)


def run(*command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)


def prepare_state(folder: Path) -> Path:
    """Create the state that an earlier start would have left in the folder."""
    Server(folder).prepare()
    return folder


def try_to_serve(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start a server that must refuse to start, and wait for its end."""
    given = environment(folder, **{"PORT": str(free_port())} | settings)
    return run(sys.executable, "-m", "botpenguin.server", env=given)


def poll(condition: Callable[[], Found | None], seconds: float = SECONDS_TO_START) -> Found:
    """Call until the result is true, and return it; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "what was waited for did not come"
        threading.Event().wait(0.02)
    return found


def ask(url: str, method: str = "GET", **options: Any) -> httpx.Response:
    """Send one request to a server of the tests, over plain HTTP."""
    return httpx.request(method, url, trust_env=False, verify=TRUSTS_NOBODY, **{"timeout": 60} | options)


def responds(port: int) -> bool:
    """Return whether a healthy server listens at this port. Tests ask often, and a client of httpx costs too much."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == httpx.codes.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    """Choose a free port, below those that the system gives to clients."""
    while True:
        # `random` would start from the same seed in each process of a run.
        port = 11_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
