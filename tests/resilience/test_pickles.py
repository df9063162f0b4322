"""Pickles in the counts and caches of a server, or in a backup that it restores, are never run."""

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from redis import Redis

from tests.accounts.throttling.test_unpickling import payloads
from tests.cast import PASSWORD
from tests.redis import redis
from tests.resilience.stolen_sessions import post
from tests.server import SQLITE, Server, connect, sqlite_url

pytestmark = [pytest.mark.server, pytest.mark.resilience, pytest.mark.release]

EMAIL = "alice@example.com"
MAKE_ALICE = f"from accounts.models import User; User.objects.create_user('{EMAIL}', '{PASSWORD}')"
# Django's cache as 0.1.0 had it, and the rows that a log-in read there first.
CACHE_OF_BEFORE = [
    "CREATE TABLE IF NOT EXISTS shared_cache"
    " (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamp NOT NULL)",
    "INSERT INTO shared_cache VALUES"
    " (':1:allauth:rl:allauth.account:login:30/60/ip:ip:127.0.0.1', '', '2100-01-01'),"
    " (':1:allauth:rl:allauth.account:password_attempts_by_address:10/60/ip:ip:127.0.0.1', '', '2100-01-01')"
    " ON CONFLICT DO NOTHING",
    "UPDATE shared_cache SET value = '{}'",
]
TABLES_OF_NOW = [
    "UPDATE accounts_cachedvalue SET value = '{}'",
    "UPDATE accounts_session SET session_data = '{}'",
]


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Server]:
    """Serve an account that has logged in, so that counts and caches have entries."""
    with Server(folder, WORKERS="1", MAIL_WORKER="off", **settings) as server:
        made = server.manage("shell", "--no-imports", "-c", MAKE_ALICE)
        assert made.returncode == 0, made.stderr
        assert set(visit(server)) <= {200, 302}
        yield server


def visit(server: Server) -> list[int]:
    """Send requests that are counted or cached, and log in; return the statuses."""
    with server.client() as client:
        answers = [
            post(client, "/account/login/", login=EMAIL, password="guessed wrong"),
            post(client, "/account/password/reset/", email=EMAIL),
            client.get("/account/login/passkey/"),
            post(client, "/account/login/", login=EMAIL, password=PASSWORD),
            client.get("/account/"),
        ]
    return [answer.status_code for answer in answers]


def write(url: str, statements: list[str], payload: str | bytes) -> None:
    with closing(connect(url)) as database:
        for statement in statements:
            database.execute(statement.format(str(payload)))


def restore_tampered(server: Server, statements: list[str], payload: str | bytes) -> subprocess.CompletedProcess[str]:
    """Change a backup and restore it; on PostgreSQL the database that `pg_restore` would have made of one."""
    server.stop()
    if not server.database_url.startswith(SQLITE):
        write(server.database_url, statements, payload)
        return server.manage("restore", "--after-pg-restore", "--noinput")
    path = server.folder / "backup.sqlite3"
    made = server.manage("backup", str(path))
    assert made.returncode == 0, made.stderr
    write(sqlite_url(path), statements, payload)
    return server.manage("restore", str(path), "--noinput")


def test_what_is_put_into_the_tables_of_a_running_server_is_not_run(tmp_path: Path) -> None:
    marker, visits = tmp_path / "run", []

    with serving(tmp_path) as server:
        for payload in payloads(marker)[:2]:
            write(server.database_url, [*CACHE_OF_BEFORE, *TABLES_OF_NOW], payload)
            visits.append(visit(server))

    assert not marker.exists()
    assert visits == [[200, 302, 302, 302, 200]] * 2


@pytest.mark.parametrize(
    ("statements", "status"),
    # A table that is not ours is refused, and nothing is restored.
    [([*CACHE_OF_BEFORE, *TABLES_OF_NOW], 1), (TABLES_OF_NOW, 0)],
    ids=["table-of-before", "tables-of-now"],
)
def test_what_is_put_into_a_backup_is_not_run_once_it_is_restored(
    tmp_path: Path, statements: list[str], status: int
) -> None:
    marker = tmp_path / "run"

    with serving(tmp_path) as server:
        restored = restore_tampered(server, statements, payloads(marker)[0])
        server.start()
        server.wait_until_ready()
        visited = visit(server)

    assert not marker.exists()
    assert restored.returncode == status, restored.stderr
    assert visited == [200, 302, 302, 302, 200]


def test_what_is_put_into_redis_is_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "run"

    with redis() as store, serving(tmp_path, CACHE_URL=store.url) as server, Redis.from_url(store.url) as client:
        names = client.keys()
        for name in names:
            client.set(name, payloads(marker)[3], keepttl=True)
        visited = visit(server)

    assert names
    assert not marker.exists()
    assert visited == [200, 302, 302, 302, 200]
