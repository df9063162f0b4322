"""The fixed cast of the tests. Resets what outlives a test in the process and in the cache."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django.test.client
import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.backends.signals import connection_created

from accounts import passwords
from accounts.models import User
from accounts.orm import best_effort
from accounts.orm.confirmations import Confirmations, confirmations
from accounts.throttling import breaker
from accounts.throttling.breaker import Breaker
from botpenguin.database import outages, write_probe
from botpenguin.database.deadline import OF_A_COMMAND, AnswerDeadline
from botpenguin.database.write_probe import WriteProbe
from botpenguin.platform.api import call_limits
from developers import issuance
from developers.bearer import use_counts, verification
from developers.bearer.refusal_counts import RefusalCounts
from developers.bearer.unknown_tokens import UnknownTokens
from developers.bearer.use_counts import UseCounts
from tests import flushing, prepared, short_transactions, whole_rows, writers
from tests.cast import LAPTOP, PASSWORD, PHONE
from tests.server import Server
from tests.wsgi_client import ServerHandler

if TYPE_CHECKING:
    from tests.postgresql import PostgreSQL

# How fast a machine is, and how many random inputs a test leaves out, says nothing about the code.
hypothesis.settings.register_profile(
    "random",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.filter_too_much],
)
# The same examples each time, so that a run says whether a change broke something. `make test-all` takes random ones.
hypothesis.settings.register_profile("repeatable", hypothesis.settings.get_profile("random"), derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


# The clients of all tests ask as a server would.
django.test.client.ClientHandler = ServerHandler  # type: ignore[misc]


def pytest_configure(config: pytest.Config) -> None:
    connection_created.connect(writers.watch)
    short_transactions.watch_transactions()
    flushing.keep_what_migrations_create()
    # Once a run: the processes of xdist find it in their environment.
    if not hasattr(config, "workerinput"):
        config.add_cleanup(prepared.arrange())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run long tests first: at the end, one process would run them while the others have nothing to do.

    On PostgreSQL, run only tests that use the database or start a server on one: the others are no different there.
    """
    # Modules that import botpenguin.wsgi switch it on, and then a fixture that sends a request would start it for good.
    write_probe.Serving.is_on = False
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return
    others = [item for item in items if not is_run_on_postgresql(item)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if is_run_on_postgresql(item)]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show the figures that load programs print. No test asserts a time."""
    reports = [report for report in terminalreporter.getreports("passed") if "release" in report.keywords]
    if printed := [report for report in reports if report.when == "call" and report.capstdout]:
        terminalreporter.section("measured")
    for report in printed:
        terminalreporter.line(f"{report.nodeid}\n{report.capstdout}")


def is_run_on_postgresql(item: pytest.Item) -> bool:
    return uses_database(item) or item.get_closest_marker("server") is not None


def uses_database(item: pytest.Item) -> bool:
    names = getattr(item, "fixturenames", [])
    return not {"db", "transactional_db"}.isdisjoint(names) or item.get_closest_marker("django_db") is not None


def pytest_sessionstart() -> None:
    """Create the folders of the test database and, for WhiteNoise, of static files."""
    folders = {settings.STATE_DIR, settings.STATIC_ROOT}
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        folders.add(Path(settings.DATABASES["default"]["TEST"]["NAME"]).parent)
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None) -> bool:
    """Let Django use the prepared database."""
    name = settings.DATABASES["default"].get("TEST", {}).get("NAME", "")
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") and (found := prepared.state()):
        shutil.copyfile(found / prepared.DATABASE, name)
    if settings.DIRECT_DATABASE:
        settings.DIRECT_DATABASE["NAME"] = connection.creation._get_test_db_name()  # type: ignore[attr-defined]
    return True


@pytest.fixture
def alice(db: None) -> User:
    """A person with a token."""
    user = User.objects.create_user("alice@example.com", PASSWORD, name="Alice")
    issuance.issue(user, LAPTOP)
    return user


@pytest.fixture
def bob(db: None) -> User:
    """Somebody else, whose token a leak would show."""
    user = User.objects.create_user("bob@example.org", PASSWORD, name="Bob")
    issuance.issue(user, PHONE)
    return user


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two processes without limits. Its tests are of the group `node`: one test process starts it."""
    folder = tmp_path_factory.mktemp("node")
    settings = {"API_RATE_LIMIT": "0", "LOG_FORMAT": "json", "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.1"}
    with Server(folder, WORKERS="2", MAIL_WORKER="off", **settings) as running:
        yield running


@pytest.fixture(scope="session")
def own_postgresql() -> "Iterator[PostgreSQL]":
    """A PostgreSQL beside the tests' database. Its tests are of the group `postgresql`: one test process starts it."""
    # Here, since few tests need the driver.
    from tests import postgresql  # noqa: PLC0415

    with postgresql.server(postgresql.NOT_ON_DISK) as running:
        yield running


@pytest.fixture(autouse=True)
def clean_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the process has counted and looked up."""
    monkeypatch.setattr(verification, "refusal_counts", RefusalCounts())
    monkeypatch.setattr(verification, "use_counts", UseCounts(verification._write_counts))
    monkeypatch.setattr(use_counts.Timing, "is_on", False)
    monkeypatch.setattr(write_probe.Serving, "is_on", False)
    monkeypatch.setattr(write_probe, "probe", WriteProbe())
    monkeypatch.setattr(verification, "mismatches", RefusalCounts())
    monkeypatch.setattr(verification, "unknown_tokens", UnknownTokens())
    monkeypatch.setattr(best_effort, "backoff", best_effort.Backoff())
    monkeypatch.setattr(call_limits, "windows", call_limits.Windows())
    monkeypatch.setattr(passwords, "older_hashes", passwords.OlderHashes())
    monkeypatch.setattr(outages, "breaker", Breaker())
    monkeypatch.setattr(breaker, "cache", Breaker("cache"))
    monkeypatch.setattr(AnswerDeadline, "seconds", OF_A_COMMAND)
    monkeypatch.setattr(whole_rows, "inserted", {})
    vars(confirmations).update(vars(Confirmations()))


@pytest.fixture(autouse=True)
def no_rate_limits_reached(request: pytest.FixtureRequest) -> None:
    """The cache's table outlives a test that commits."""
    if uses_database(request.node):
        request.getfixturevalue("db")
        cache.clear()
