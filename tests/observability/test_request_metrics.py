"""The counts of metrics, with and without METRICS_PORT, and the addresses that metrics may listen on."""

import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.observability import prometheus, request_metrics
from botpenguin.operations.settings_checks import check_metrics_are_not_public
from developers import issuance, tokens
from developers import metrics as counting
from developers.bearer import verification
from developers.bearer.verification import RefusalReason
from developers.models import RevokedToken
from tests import server
from tests.cast import LAPTOP, token_text
from tests.developers.bearer.requests import bearing, failing_on


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Count as in a server with METRICS_PORT, but in memory."""
    before = set(REGISTRY._collector_to_names)
    monkeypatch.setenv(counting.FOLDER, str(tmp_path))
    counting.is_on.cache_clear()
    yield
    counting.is_on.cache_clear()
    for collector in set(REGISTRY._collector_to_names) - before:
        REGISTRY.unregister(collector)


def test_requests_are_counted_by_method_route_and_status_and_timed(counted: None) -> None:
    count = request_metrics.request_counter()

    count("GET", "/bots/", 200, 0.004)
    count("GET", "/bots/", 200, 0.2)
    count("GET", "/bots/", 503, 20)
    count("BREW", "/bots/", 405, 0.001)

    duration = "botpenguin_http_request_duration_seconds"
    labels = {"method": "GET", "route": "/bots/"}
    shown = [
        REGISTRY.get_sample_value("botpenguin_http_requests_total", labels | {"status": s}) for s in ("200", "503")
    ]
    within = [REGISTRY.get_sample_value(f"{duration}_bucket", labels | {"le": le}) for le in ("0.005", "0.25", "+Inf")]
    assert shown == [2, 1]
    assert (
        REGISTRY.get_sample_value("botpenguin_http_requests_total", labels | {"method": "BREW", "status": "405"}) == 1
    )
    assert REGISTRY.get_sample_value(f"{duration}_count", labels | {"method": "BREW"}) is None
    assert within == [1, 2, 3]
    assert REGISTRY.get_sample_value(f"{duration}_sum", labels) == 20.204


def test_a_process_takes_its_room_beforehand(counted: None, tmp_path: Path) -> None:
    assert counting.is_on()
    counting.is_on.cache_clear()
    assert counting.is_on(), "what is there already is taken as it is"

    sizes = {path.name: path.stat().st_blocks * 512 for path in tmp_path.iterdir()}
    assert sizes.keys() == {f"counter_{os.getpid()}.db", f"histogram_{os.getpid()}.db"}
    assert min(sizes.values()) >= 1024 * 1024


def test_a_process_without_room_serves_and_does_not_count(
    counted: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(counting, "ROOM", {"counter": 1 << 62})

    count = request_metrics.request_counter()

    assert count is counting.ignore
    assert list(tmp_path.iterdir()) == []
    [shown] = caplog.messages
    assert shown.startswith(f"Process {os.getpid()} counts nothing for Prometheus: [Errno ")


def test_a_gauge_takes_its_room_beforehand_or_is_not_set(
    counted: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    counting.gauge("botpenguin_gauge_of_a_test", "Only here.")(4)
    file = tmp_path / f"gauge_mostrecent_{os.getpid()}.db"
    size = file.stat().st_blocks * 512
    file.unlink()
    monkeypatch.setattr(counting, "ROOM_OF_GAUGES", 1 << 62)

    refused = counting.gauge("botpenguin_other_gauge_of_a_test", "Only here.")

    assert (REGISTRY.get_sample_value("botpenguin_gauge_of_a_test"), size) == (4, 1 << 16)
    assert (refused, file.exists()) == (counting.ignore, False)
    [shown] = caplog.messages
    assert shown.startswith(f"Process {os.getpid()} does not set botpenguin_other_gauge_of_a_test: [Errno ")


def test_values_that_are_known_start_from_nought(counted: None) -> None:
    count = counting.counter("botpenguin_of_a_test", "Only here.", "kind", ["good", "bad"])

    count("bad")

    shown = [
        REGISTRY.get_sample_value("botpenguin_of_a_test_total", {"kind": kind}) for kind in ("good", "bad", "ugly")
    ]
    assert shown == [0, 1, None]


def test_every_outcome_of_a_bearer_check_and_every_reason_of_a_revoke_is_documented() -> None:
    documented = (server.ROOT / "docs" / "operations.md").read_text()

    assert [name for name in [*bearer_outcomes(), *RevokedToken.Reason.values] if f"`{name}`" not in documented] == []


def test_each_bearer_check_is_counted_by_what_came_of_it(
    counted: None, monkeypatch: pytest.MonkeyPatch, settings: Settings, alice: User, bob: User
) -> None:
    monkeypatch.setattr(
        verification, "count_check", counting.counter("botpenguin_bearer_checks", "As served.", "outcome")
    )
    settings.API_REFUSED_LIMIT = 1
    good, disabled = token_text(alice), token_text(bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)

    def check(authorization: str | None, **headers: str) -> None:
        with suppress(verification.TokenRefused, verification.TooManyUnknownTokens, OperationalError):
            verification.check(bearing(authorization, **headers))

    check(f"Bearer {good}")
    check(None)
    check(f"Bearer {good}", authtype="Lock")
    check("Bearer bpat_x")
    check(f"Bearer {disabled}")
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)
    check(f"Bearer {good}")
    check(f"Bearer {tokens.generate().open()}")
    check(f"Bearer {tokens.generate().open()}")
    settings.API_REFUSED_LIMIT = 0
    fresh = token_text(alice)
    with connection.execute_wrapper(failing_on("SELECT")):
        check(f"Bearer {fresh}")

    shown = {
        sample.labels["outcome"]: sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "botpenguin_bearer_checks_total"
    }
    assert shown == dict.fromkeys(bearer_outcomes(), 1)


def bearer_outcomes() -> list[str]:
    return ["ok", *(refusal.name.lower() for refusal in RefusalReason), "limited", "failed"]


def test_where_nobody_asks_nothing_is_counted() -> None:
    assert counting.FOLDER not in os.environ
    assert {request_metrics.count_request, verification.count_check, issuance.count_revocation} == {counting.ignore}


@pytest.mark.release
def test_where_nobody_asks_the_library_is_not_even_imported(tmp_path: Path) -> None:
    look = (
        "import sys, django; django.setup(); import botpenguin.observability.request_log, botpenguin.urls;"
        "print(sorted(name for name in sys.modules if name.startswith('prometheus_client')))"
    )
    environment = server.environment(tmp_path, DJANGO_SETTINGS_MODULE="tests.settings")
    environment.pop(server.COVERAGE, None)

    looked = server.run(sys.executable, "-c", look, env=environment)

    assert (looked.stdout, looked.stderr) == ("[]\n", "")


@pytest.mark.django_db
def test_a_database_that_hangs_is_waited_for_by_one_thread_and_not_for_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without write-ahead log, a writer of SQLite blocks readers, here for five seconds."""
    locked = connections.configure_settings(
        {"default": {"ENGINE": "botpenguin.database.sqlite3", "NAME": str(tmp_path / "locked")}}
    )
    monkeypatch.setitem(connections.settings, "default", locked["default"])
    monkeypatch.setattr(prometheus, "SECONDS_FOR_THE_DATABASE", 0.1)
    collector = prometheus.FromDatabase()

    with closing(sqlite3.connect(tmp_path / "locked", isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        shown = [[(metric.name, metric.samples[0].value) for metric in collector.collect()] for _ in range(2)]
        waiting = readers()

    assert shown == [[("botpenguin_database_up", 0)]] * 2
    assert len(waiting) == 1
    assert server.poll(lambda: not readers())


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "metrics from the database"]


@pytest.mark.parametrize(
    ("port", "host", "shown"),
    [
        (0, "203.0.113.9", []),
        (9101, "127.0.0.1", []),
        (9101, "::1", []),
        (9101, "10.1.2.3", []),
        (9101, "prometheus.internal", []),
        (9101, "8.8.8.8", ["METRICS_HOST is a public address."]),
        (9101, "2a00::1", ["METRICS_HOST is a public address."]),
        (9101, "0.0.0.0", ["METRICS_HOST is every address of this machine."]),  # noqa: S104 - asked about, not bound to
        (9101, "::", ["METRICS_HOST is every address of this machine."]),
    ],
)
def test_metrics_listen_on_no_public_address(settings: Settings, port: int, host: str, shown: list[str]) -> None:
    settings.METRICS_PORT, settings.METRICS_HOST = port, host

    messages = check_metrics_are_not_public(None)

    assert [message.msg for message in messages] == shown
    assert [message.is_serious() for message in messages] == ["public" in sentence for sentence in shown]
