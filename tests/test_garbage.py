"""What a failed statement leaves behind is thrown away in any thread, at any time, and holds nobody up."""

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from accounts.bookkeeping import LOCK_TIMEOUT
from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)

# Far more than it takes to throw away all garbage and to commit.
PATIENCE_MS = 20_000


@pytest.fixture(autouse=True)
def _collected_on_demand() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_whoever_throws_away_what_a_failure_left_does_not_wait_for_the_thread_that_failed(alice: User) -> None:
    holds, waits = Event(), Event()
    row = User.objects.filter(pk=alice.pk)
    _, tell = LOCK_TIMEOUT[connection.vendor]

    def hold() -> None:
        with transaction.atomic():
            row.update(name="the first")
            holds.set()
            waits.wait()
            gc.collect()
        connection.close()

    def fail_and_wait() -> None:
        holds.wait()
        with connection.cursor() as cursor:
            cursor.execute(tell.format(1))
            with pytest.raises(OperationalError), transaction.atomic():
                row.update(name="in vain")
            cursor.execute(tell.format(PATIENCE_MS))
        with connection.execute_wrapper(waiting), transaction.atomic():
            row.update(name="the second")
        connection.close()

    def waiting(execute: Any, *statement: Any) -> Any:
        waits.set()
        return execute(*statement)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(hold), threads.submit(fail_and_wait)]:
            done.result()

    alice.refresh_from_db()
    assert alice.name == "the second"
