"""Several nodes on one database: how they start and stop."""

import signal
import socket
import sys
import time
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path
from secrets import token_urlsafe

import httpx
import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.http.drain import drain
from botpenguin.operations.checks import check_every_character_is_stored
from botpenguin.server import __main__ as serve
from developers import tokens
from tests import postgresql, prepared, server
from tests.postgresql import PostgreSQL
from tests.server import CoveredServer, Server, ask, sqlite_url
from tests.visitor import Visitor

ON = [pytest.param(kind, marks=pytest.mark.release) for kind in ("sqlite", "postgresql")]
REPORT = b'{"tokens": ["none of ours"]}'
LENGTH_SENT = 10
TOKEN_PAGE = "/developers/api-access-token/"
# Longer than `serve` waits before it signals Granian a third time.
SECONDS_HELD = 3


@pytest.fixture(params=ON)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings by which nodes share a database that is new and empty."""
    if request.param == "sqlite":
        return {"DATABASE_URL": sqlite_url(tmp_path / "db.sqlite3")}
    running: PostgreSQL = request.getfixturevalue("own_postgresql")
    return {"DATABASE_URL": running.new_database()}


@pytest.mark.long
@pytest.mark.xdist_group("postgresql")
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
        ready = [ask(f"{node.url}/readyz").text for node in nodes]
        outputs = [node.output for node in nodes]

    assert ready == ["ok\n", "ok\n"]
    assert sorted("Updating the database" in output for output in outputs) == [False, True]
    assert sorted("The first account" in output for output in outputs) == [False, True]
    assert [output for output in outputs if "Traceback" in output or "rror" in output] == []


@pytest.mark.resilience
@pytest.mark.xdist_group("postgresql")
def test_on_postgresql_one_node_at_a_time_prepares_the_database(
    own_postgresql: PostgreSQL, django_db_blocker: DjangoDbBlocker
) -> None:
    with psycopg.connect(own_postgresql.url, autocommit=True) as another, django_db_blocker.unblock():

        def is_free() -> bool:
            [found] = another.execute("SELECT pg_try_advisory_xact_lock(%s)", [serve.STARTING]).fetchone() or [None]
            return bool(found)

        with postgresql.connected(own_postgresql.url), serve.alone_at_the_database():
            during = is_free()
        after = is_free()

    assert (during, after) == (False, True)


@pytest.mark.resilience
@pytest.mark.xdist_group("postgresql")
@pytest.mark.parametrize(
    ("encoding", "options"),
    [
        ("LATIN1", ""),
        ("SQL_ASCII", ""),
        *(
            pytest.param(name, "", marks=pytest.mark.release)
            for name in ("LATIN9", "WIN1252", "EUC_JP", "KOI8R", "WIN1251")
        ),
        ("UTF8", "?options=-c%20client_encoding%3DLATIN1"),
        ("UTF8", "?client_encoding=LATIN1"),
        ("UTF8", ""),
    ],
)
def test_a_database_in_another_encoding_is_refused(
    own_postgresql: PostgreSQL,
    django_db_blocker: DjangoDbBlocker,
    monkeypatch: pytest.MonkeyPatch,
    encoding: str,
    options: str,
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    url = postgresql.new_database(own_postgresql.url, encoding=encoding) + options

    with django_db_blocker.unblock(), postgresql.connected(url):
        found = check_every_character_is_stored(None, databases=["default"])
        with connection.cursor() as cursor:
            cursor.execute("SHOW client_encoding")
            of_client = cursor.fetchone()

    assert [message.id for message in found] == (["developers.E008"] if encoding != "UTF8" else [])
    # Django names the encoding itself.
    assert of_client == ("UTF8",)


@pytest.mark.release
@pytest.mark.xdist_group("postgresql")
def test_no_node_starts_on_a_database_in_another_encoding(own_postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = postgresql.new_database(own_postgresql.url, encoding="LATIN1")

    refused = server.try_to_serve(tmp_path, DATABASE_URL=url, **prepared.SECRETS)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("The database default or its connection is not in UTF8")


def test_a_state_folder_that_cannot_be_created_is_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.STATE_DIR = tmp_path / "file" / "var"

    with pytest.raises(ImproperlyConfigured, match=r"^STATE_DIR cannot be created: .*/file/var: Not a directory\.$"):
        serve.create_state_dir()


def test_a_database_in_a_missing_folder_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", f"{tmp_path}/app #1/db.sqlite3")

    with (
        pytest.raises(ImproperlyConfigured, match=r"^The folder of the database is missing: .*/app #1\.$"),
        serve.alone_at_the_database(),
    ):
        raise AssertionError


def test_a_stopping_node_releases_its_clients_and_a_second_signal_ends_what_is_under_way(tmp_path: Path) -> None:
    paths = ["/account/login/", "/api/v7/openapi.json", "/healthz"]
    with CoveredServer(tmp_path, WORKERS="1", MAIL_WORKER="off", DRAIN_SECONDS="600") as node, node.client() as client:
        bearer = {"Authorization": f"Bearer {token_of_first_account(node)}"}
        before = [client.get(path).headers.get("Connection") for path in paths]
        node.process.send_signal(signal.SIGTERM)
        not_ready = server.poll(lambda: refusal(f"{node.url}/readyz"))
        during = [client.get(path) for path in paths]
        revoked = client.post("/api/v7/token/revoke", headers=bearer)
        refused = client.get("/api/v7/token", headers=bearer)

        with begin_report(node) as upload:
            node.process.send_signal(signal.SIGTERM)
            server.poll(lambda: not accepts(node.port))
            stopped_at = time.monotonic()
            server.poll(lambda: time.monotonic() > stopped_at + SECONDS_HELD)
            upload.sendall(REPORT[LENGTH_SENT:])
            answer = HTTPResponse(upload)
            answer.begin()
        status = node.process.wait(timeout=30)
        uses = node.rows("SELECT program, generation, is_refused, count FROM developers_tokenuse ORDER BY is_refused")

    assert before == [None] * 3
    assert (not_ready.status_code, not_ready.text) == (503, "stopping\n")
    assert [(shown.status_code, shown.headers["Connection"]) for shown in during] == [(200, "close")] * 3
    assert [(shown.status_code, shown.headers["Connection"]) for shown in (revoked, refused)] == [
        (204, "close"),
        (401, "close"),
    ]
    assert (answer.status, status) == (200, 0)
    # Written when the worker ended.
    assert uses == [("python-httpx", 1, False, 1), ("python-httpx", 1, True, 1)]


def test_a_ring_that_does_not_fit_the_database_is_refused(alice: User, settings: Settings) -> None:
    settings.TOKEN_KEYS = [token_urlsafe(32)]

    with pytest.raises(
        ImproperlyConfigured, match=r"^1 tokens in the database default are under a key that TOKEN_KEYS"
    ):
        serve.refuse_bad_configuration()


def test_without_seconds_to_drain_nobody_waits(settings: Settings) -> None:
    settings.DRAIN_SECONDS = 0

    serve.serve_on(-1)

    assert not drain.path.exists()


def token_of_first_account(node: Server) -> str:
    with node.client() as client:
        visitor = Visitor(client)
        visitor.log_in(*node.first_account)
        page = visitor.post(f"{TOKEN_PAGE}show/", {}, page=TOKEN_PAGE).text
    [token] = tokens.PATTERN.findall(page)
    return str(token)


def begin_report(node: Server) -> socket.socket:
    """Send a request without the end of its body; return once the server waits for it."""
    upload = socket.create_connection(("127.0.0.1", node.port), timeout=30)
    upload.sendall(
        b"POST /api/v7/token/report-exposed HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(REPORT)
    )
    # Sent when the body is first asked for: by then the request is under way.
    assert upload.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    upload.sendall(REPORT[:LENGTH_SENT])
    return upload


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
    except ConnectionError:
        return False
    return True


def refusal(url: str) -> httpx.Response | None:
    answer = ask(url)
    return answer if answer.is_error else None
