"""How long a write of the uses of tokens holds SQLite's write lock, for which a revoke would wait."""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from developers import issuance
from developers.bearer.use_counts import Count, Counts, OwnersUse
from developers.program_uses import OWNERS, ROWS, write
from developers.programs import UseKey
from tests.cast import LAPTOP

DAYS = 30


def main() -> None:
    call_command("migrate", verbosity=0)
    owners = [User.objects.create_user(f"used{number}@example.com") for number in range(OWNERS)]
    for owner in owners:
        issuance.issue(owner, LAPTOP)
    times: dict[str, list[float]] = {"a revoke": [], f"{ROWS} new uses": [], f"{ROWS} uses more of the same": []}
    for ago in range(DAYS):
        counts = counts_of(owners, ago)
        actions: list[Callable[[], object]] = [
            partial(issuance.revoke, owners[0], ago + 1, LAPTOP, even_if_used=True),
            *[partial(write, counts)] * 2,
        ]
        for kind, action in zip(times, actions, strict=True):
            times[kind].append(milliseconds_locked(action))
    print(f"\nWrites of uses of {OWNERS} accounts, {DAYS} of each kind\n")
    print("| | the write lock is held for, ms | the longest |\n|---|---:|---:|")
    for kind, took in times.items():
        print(f"| {kind} | {statistics.median(took):.1f} | {max(took):.1f} |")


def counts_of(owners: list[User], ago: int) -> Counts:
    """Return as many uses as one transaction writes, of a day some days ago."""
    at = timezone.now() - timedelta(days=ago)
    return {
        OwnersUse(owner.pk, at.date(), UseKey(f"program {number}", "192.0.2.1", 1, is_refused=False)): Count(
            3, at.timestamp(), at.timestamp()
        )
        for owner in owners
        for number in range(ROWS // OWNERS)
    }


def milliseconds_locked(action: Callable[[], object]) -> float:
    """Return how long the first transaction of an action lasts."""
    times: list[tuple[str, float]] = []
    connection.ensure_connection()
    connection.connection.set_trace_callback(lambda sql: times.append((sql, time.perf_counter())))
    action()
    # SQLite reports the start of each statement, so one more ends the last one.
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection.connection.set_trace_callback(None)
    statements = [sql for sql, _ in times]
    begin, commit = statements.index("BEGIN IMMEDIATE"), statements.index("COMMIT")
    return (times[commit + 1][1] - times[begin][1]) * 1000
