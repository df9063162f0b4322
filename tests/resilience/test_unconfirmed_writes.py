"""PostgreSQL waits for a standby that is not there: reads work, and the node says that writes are not confirmed."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import postgresql
from tests.postgresql import PostgreSQL
from tests.server import Server, ask, free_port, poll, write_secrets

pytestmark = [pytest.mark.resilience, pytest.mark.release, pytest.mark.xdist_group("unconfirmed writes")]

THREADS = 2
LOGGER = "botpenguin.database.write_probe: "


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgreSQL]:
    with postgresql.server() as running:
        yield running


@pytest.fixture(scope="module")
def url(cluster: PostgreSQL) -> str:
    """The address of a database for a role that may do nothing else on this server."""
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE web LOGIN")
        connection.execute("CREATE DATABASE panel OWNER web")
    return urlsplit(cluster.url)._replace(netloc=f"web@127.0.0.1:{cluster.port}", path="/panel").geturl()


@pytest.fixture(scope="module")
def node(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("node")
    write_secrets(folder / ".env")
    settings = {"WORKERS": "1", "THREADS": str(THREADS), "MAIL_WORKER": "off", "METRICS_PORT": str(free_port())}
    with Server(folder, DATABASE_URL=url, **settings) as running:
        yield running


@contextmanager
def without_standby(cluster: PostgreSQL) -> Iterator[None]:
    """Let every commit wait."""
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        connection.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            connection.execute("SELECT pg_reload_conf()")


def said(node: Server, path: str) -> tuple[int, str]:
    answer = ask(f"{node.url}{path}")
    return answer.status_code, answer.text


def shown(node: Server, name: str) -> float:
    page = ask(f"http://127.0.0.1:{node.environment['METRICS_PORT']}/metrics").text
    [value] = re.findall(rf"^{name} (\S+)$", page, re.MULTILINE)
    return float(value)


def test_writes_that_no_standby_confirms_are_reported_while_reads_work(node: Server, cluster: PostgreSQL) -> None:
    before = said(node, "/readyz/writes"), shown(node, "botpenguin_writes_confirmed")

    with without_standby(cluster):
        status, text = poll(lambda: found if (found := said(node, "/readyz/writes"))[0] == 503 else None)
        poll(lambda: shown(node, "botpenguin_writes_confirmed") == 0)
        confirmed_at = shown(node, "botpenguin_last_confirmed_write_timestamp_seconds")
        # As many requests as the process has threads find a connection each, while the measurement holds its own.
        with ThreadPoolExecutor(THREADS) as threads:
            reading = list(threads.map(lambda _: said(node, "/readyz"), range(8 * THREADS)))
    poll(lambda: said(node, "/readyz/writes") == (200, "ok\n"))

    assert before == ((200, "ok\n"), 1)
    assert re.fullmatch(r"writes are not confirmed; the last confirmed one began \d+ s ago\n", text)
    assert status == 503
    assert reading == [(200, "ok\n")] * (8 * THREADS)
    assert poll(lambda: shown(node, "botpenguin_last_confirmed_write_timestamp_seconds") > confirmed_at)
    assert shown(node, "botpenguin_writes_confirmed") == 1
    lines = [line.partition(LOGGER)[2] for line in node.output.splitlines() if LOGGER in line]
    # On a busy machine a commit may take as long before and after, too.
    assert lines == [
        "The database does not confirm writes: a commit has waited for 2 s",
        "The database confirms writes again.",
    ] * max(1, len(lines) // 2)
    assert "Traceback" not in node.output


def test_a_database_that_is_gone_is_reported_too(node: Server, cluster: PostgreSQL) -> None:
    cluster.kill()
    try:
        poll(lambda: said(node, "/readyz/writes")[0] == 503)
    finally:
        cluster.start()

    assert poll(lambda: said(node, "/readyz/writes") == (200, "ok\n"))
