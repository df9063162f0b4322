"""Several nodes on one database, and what becomes of them when it goes away."""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests import postgresql, server
from tests.postgresql import PostgreSQL
from tests.server import Server

ON = ["sqlite", "postgresql"]


@pytest.fixture(scope="module")
def database() -> Iterator[PostgreSQL]:
    with postgresql.server() as running:
        yield running


@pytest.fixture(params=ON)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings by which nodes share a database that is new and empty."""
    if request.param == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}"}
    running: PostgreSQL = request.getfixturevalue("database")
    return {"DATABASE_URL": running.new_database()}


def test_two_nodes_that_start_at_once_prepare_the_database_once(shared: dict[str, str], tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    settings = {"ENV_FILE": str(tmp_path / ".env"), "WORKERS": "1", "MAIL_WORKER": "off", **shared}
    bootstrap = (sys.executable, "-m", "botpenguin.bootstrap", "--new-database")
    server.run(*bootstrap, env=server.environment(tmp_path, **settings))
    nodes = [Server(folder, **settings) for folder in folders]

    with ExitStack() as stop:
        for node in nodes:
            stop.callback(node.stop)
            node.start()
        for node in nodes:
            node.wait_until_ready()
        ready = [httpx.get(f"{node.url}/readyz", trust_env=False).text for node in nodes]
        outputs = [node.output for node in nodes]

    assert ready == ["ok\n", "ok\n"]
    assert sorted("Updating the database" in output for output in outputs) == [False, True]
    assert sorted("The first account" in output for output in outputs) == [False, True]
    assert [output for output in outputs if "Traceback" in output or "rror" in output] == []


def test_a_node_told_to_stop_says_that_it_is_not_ready_and_serves_on_until_told_again(tmp_path: Path) -> None:
    with Server(tmp_path, WORKERS="1", MAIL_WORKER="off", DRAIN_SECONDS="600") as node:
        node.process.send_signal(signal.SIGTERM)
        not_ready = server.poll(lambda: refusal(f"{node.url}/readyz"))
        page = httpx.get(f"{node.url}/account/login/", trust_env=False)

        status = node.stop()

    assert (not_ready.status_code, not_ready.text) == (503, "stopping\n")
    assert page.status_code == 200
    assert status == 0


def refusal(url: str) -> httpx.Response | None:
    answer = httpx.get(url, trust_env=False)
    return answer if answer.is_error else None
