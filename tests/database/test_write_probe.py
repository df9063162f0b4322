"""Each process measures whether the database confirms writes, and says so without asking the database."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import Error
from django.test import Client as Browser
from prometheus_client import REGISTRY

from accounts.orm import confirmations
from botpenguin.database import write_probe
from botpenguin.database.write_probe import MOST_SECONDS, WriteProbe
from developers import metrics
from tests.clock import Clock
from tests.server import poll

NEVER = "writes are not confirmed; none was since this process started"
LOGGED = "The database does not confirm writes: "
AGAIN = "The database confirms writes again."


class Commits:
    """Stands in for the database: a commit succeeds, fails, or waits until it is released."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.released = Event()
        self.released.set()
        self.number = 0

    def __call__(self) -> None:
        self.number += 1
        assert self.released.wait(60)
        if self.error:
            raise self.error


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(write_probe, "time", clock)
    return clock


def test_the_log_has_a_line_when_it_begins_to_fail_and_one_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    commits = Commits()
    probe = WriteProbe(commits)

    for error in (None, Error("first"), Error("second"), ValueError(), None, None, ValueError(), ValueError("x")):
        commits.error = error
        probe.measure()

    levels = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert levels == [("ERROR", f"{LOGGED}first"), ("WARNING", AGAIN), ("ERROR", f"{LOGGED}ValueError()")]


@pytest.mark.parametrize(
    ("error", "seconds", "problem"),
    [
        (None, 0, ""),
        (None, 1.4, ""),
        (None, MOST_SECONDS, ""),
        (None, MOST_SECONDS + 1, "writes are not confirmed; the last confirmed one began 16 s ago"),
        (None, 3600, "writes are not confirmed; the last confirmed one began 3600 s ago"),
        (Error("gone"), 0, "writes are not confirmed; the last confirmed one began 0 s ago"),
        (Error("gone"), 4.6, "writes are not confirmed; the last confirmed one began 5 s ago"),
        (Error("gone"), 70, "writes are not confirmed; the last confirmed one began 70 s ago"),
    ],
)
def test_a_write_is_confirmed_for_a_while_unless_the_next_one_fails(
    clock: Clock, error: Exception | None, seconds: float, problem: str
) -> None:
    commits = Commits()
    probe = WriteProbe(commits)

    probe.measure()
    clock.now += seconds
    if error:
        commits.error = error
        probe.measure()

    assert probe.problem() == problem


def test_a_commit_that_waits_is_not_confirmed_and_a_late_one_ends_no_failure(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    commits = Commits()
    probe = WriteProbe(commits)
    probe.measure()
    monkeypatch.setattr(write_probe, "LATE_SECONDS", 0.01)
    commits.released.clear()

    waiting = Thread(target=probe.measure)
    waiting.start()
    during = poll(probe.problem)
    clock.now += 3
    commits.released.set()
    waiting.join(60)
    late = probe.problem()
    monkeypatch.setattr(write_probe, "LATE_SECONDS", 600)
    probe.measure()
    probe._note_late(2)
    probe._note_late(3)

    assert during == "writes are not confirmed; the last confirmed one began 0 s ago"
    assert late == "writes are not confirmed; the last confirmed one began 3 s ago"
    assert probe.problem() == ""
    assert caplog.messages == [f"{LOGGED}a commit has waited for 0 s", AGAIN]


def test_while_a_commit_waits_for_long_requests_that_would_write_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_probe, "DOUBTFUL_SECONDS", 0)
    commits, known = Commits(), confirmations.confirmations
    probe, known.is_measured = WriteProbe(commits), True
    commits.released.clear()
    waiting = Thread(target=probe.measure)
    waiting.start()

    poll(lambda: known.is_in_doubt)
    commits.released.set()
    waiting.join(60)
    after = known.is_in_doubt
    # Timers that begin as their commit ends.
    probe._note_doubtful(1)
    probe._note_doubtful(2)

    assert not after
    assert not known.is_in_doubt


def test_a_late_commit_that_nobody_has_missed_is_confirmed(clock: Clock) -> None:
    def slowly() -> None:
        clock.now += 3

    probe = WriteProbe(slowly)

    probe.measure()

    assert probe.problem() == ""


def test_a_process_that_serves_measures_from_its_first_request_on_until_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commits, ends = Commits(), list[Callable[[], None]]()
    monkeypatch.setattr(write_probe, "INTERVAL", 0.001)
    monkeypatch.setattr(write_probe, "Finalize", lambda _, end, exitpriority: ends.append(end))
    probe = WriteProbe(commits)

    probe.start()
    idle = probe._thread
    monkeypatch.setattr(write_probe.Serving, "is_on", True)
    for _request in range(3):
        probe.start()
    problem = probe.problem()
    poll(lambda: commits.number >= 3)
    [end] = ends
    end()
    assert probe._thread
    probe._thread.join(60)

    assert (idle, problem, probe._thread.is_alive()) == (None, "", False)


def test_a_first_commit_that_waits_is_waited_for_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    commits = Commits()
    commits.released.clear()
    monkeypatch.setattr(write_probe, "LATE_SECONDS", 0.01)
    monkeypatch.setattr(write_probe.Serving, "is_on", True)
    probe = WriteProbe(commits)

    probe.start()
    problem = poll(lambda: probe.problem().removeprefix("not measured yet"))
    probe._is_over.set()
    commits.released.set()
    assert probe._thread
    probe._thread.join(60)

    assert problem == NEVER


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize(("error", "status"), [(None, 200), (Error("secret of the database"), 503)])
def test_the_page_answers_from_memory(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, status: int, method: str
) -> None:
    commits = Commits()
    commits.error = error
    monkeypatch.setattr(write_probe, "probe", WriteProbe(commits))
    write_probe.probe.measure()

    answer = getattr(Browser(), method)("/readyz/writes")

    text = "" if method == "head" else f"{NEVER}\n" if error else "ok\n"
    assert (answer.status_code, answer.content.decode()) == (status, text)
    assert (answer.headers["Content-Type"], "no-store" in answer.headers["Cache-Control"]) == ("text/plain", True)
    assert commits.number == 1


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_page_is_only_read(method: str) -> None:
    answer = getattr(Browser(), method)("/readyz/writes")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_process_that_does_not_measure_says_so() -> None:
    answer = Browser().get("/readyz/writes")

    assert (answer.status_code, answer.content) == (503, b"not measured yet\n")


def test_metrics_show_whether_writes_are_confirmed_and_since_when(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commits, before = Commits(), set(REGISTRY._collector_to_names)
    monkeypatch.setenv(metrics.FOLDER, str(tmp_path))
    monkeypatch.setattr(write_probe.Serving, "is_on", True)
    metrics.is_on.cache_clear()
    probe = WriteProbe(commits)

    try:
        probe.start()
        problem = probe.problem()
        probe._is_over.set()
        assert probe._thread
        probe._thread.join(60)
        shown = [REGISTRY.get_sample_value("botpenguin_writes_confirmed")]
        commits.error = Error("gone")
        probe.measure()
        shown.append(REGISTRY.get_sample_value("botpenguin_writes_confirmed"))
        time = REGISTRY.get_sample_value("botpenguin_last_confirmed_write_timestamp_seconds")
    finally:
        metrics.is_on.cache_clear()
        for collector in set(REGISTRY._collector_to_names) - before:
            REGISTRY.unregister(collector)

    assert (problem, shown) == ("", [1, 0])
    assert confirmations.confirmations.confirmed_at
    assert time == confirmations.confirmations.confirmed_at.timestamp()
