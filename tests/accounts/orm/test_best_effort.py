"""Best-effort writes are dropped where they fail, and then not tried for two seconds."""

from contextlib import nullcontext

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import User
from accounts.orm import best_effort
from tests.clock import Clock

pytestmark = pytest.mark.django_db


class Attempts:
    """Writes that succeed or fail, and how often one was tried."""

    def __init__(self) -> None:
        self.tried = 0
        self.is_locked = True

    def write(self) -> None:
        self.tried += 1
        User.objects.update(name="Alice Liddell")
        if self.is_locked:
            raise OperationalError("database is locked")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(best_effort, "time", clock)
    return clock


def test_after_a_write_in_vain_none_is_tried_for_two_seconds_and_the_log_has_one_line(
    alice: User, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = Attempts()

    tried = []
    for now in (1000.0, 1000.1, 1001.9, 1002.0):
        clock.now = now
        best_effort.try_write("Her name", attempts.write)
        tried.append(attempts.tried)
        attempts.is_locked = now < 1001

    alice.refresh_from_db()
    assert tried == [1, 1, 1, 2]
    assert alice.name == "Alice Liddell"
    assert caplog.messages == ["Her name was not recorded: database is locked"]


def test_a_write_that_fails_half_way_is_not_kept(alice: User) -> None:
    best_effort.try_write("Her name", Attempts().write)

    alice.refresh_from_db()
    assert alice.name == "Alice"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_nested", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_such_a_write_waits_less_and_leaves_no_setting_behind(fails: bool, is_nested: bool) -> None:
    before, during = waits(), []

    def write() -> None:
        during.append(waits())
        if fails:
            raise OperationalError("full")

    with transaction.atomic() if is_nested else nullcontext():
        best_effort.try_write("Nothing", write)
        inside = waits()

    assert inside == waits() == before
    assert during == [{"sqlite": ["100"], "postgresql": ["100ms", "on" if is_nested else "off"]}[connection.vendor]]


def waits() -> list[str]:
    """Return how long this connection waits for a lock, and whether a commit waits for the disk."""
    names = {"sqlite": ["PRAGMA busy_timeout"], "postgresql": ["SHOW lock_timeout", "SHOW synchronous_commit"]}
    with connection.cursor() as cursor:
        return [str(cursor.execute(name).fetchone()[0]) for name in names[connection.vendor]]
