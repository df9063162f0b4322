"""Several processes write uses of tokens at the same time, beside transactions that hold their owner's row."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction

from accounts.models import User
from accounts.orm import best_effort
from developers.bearer.use_counts import Count, Counts
from developers.models import TokenUse
from developers.program_uses import write
from tests.developers.test_program_uses import count, key

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES, ROUNDS = 4, 5


def people() -> tuple[User, User]:
    return User.objects.create_user("alice@example.com"), User.objects.create_user("bob@example.org")


def test_what_several_processes_count_at_once_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # A process whose write is dropped counts on and tries again.
    monkeypatch.setattr(best_effort, "BACKOFF_SECONDS", 0)
    alice, bob = people()

    def process(number: int) -> None:
        waiting: Counts = {}
        try:
            for _ in range(ROUNDS):
                for use in (key(alice), key(alice, f"p{number}"), key(bob)):
                    waiting.setdefault(use, Count(0, count().first_at, count().last_at)).add(count())
                waiting = write(waiting)
            while waiting:
                waiting = write(waiting)
        finally:
            connection.close()

    with ThreadPoolExecutor(PROCESSES) as processes:
        list(processes.map(process, range(PROCESSES)))

    counted = {(row.user_id, row.program): row.count for row in TokenUse.objects.all()}
    together = PROCESSES * ROUNDS
    assert counted == {
        (alice.pk, "curl"): together,
        (bob.pk, "curl"): together,
        **{(alice.pk, f"p{number}"): ROUNDS for number in range(PROCESSES)},
    }


def test_an_owner_who_is_locked_waits_for_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = people()
    is_locked, is_written = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                User.objects.select_for_update().get(pk=alice.pk)
                is_locked.set()
                is_written.wait()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        held = other.submit(hold)
        is_locked.wait()
        try:
            left = write({key(alice): count(2), key(bob): count(3)})
        finally:
            is_written.set()
        held.result()
    monkeypatch.setattr(best_effort, "backoff", best_effort.Backoff())
    again = write(left)

    # SQLite locks the whole database.
    expected = {key(alice)} if connection.vendor == "postgresql" else {key(alice), key(bob)}
    assert (set(left), again) == (expected, {})
    assert {row.user_id: row.count for row in TokenUse.objects.all()} == {alice.pk: 2, bob.pk: 3}
