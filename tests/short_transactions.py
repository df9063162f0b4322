"""Every test checks that no transaction of the product writes for long, hashes a password or connects to a server.

SQLite has one write lock, so everybody waits while a transaction writes. The longest transaction is the end of an
import, which takes less than 100 ms at these bounds. Tests and migrations are not limited.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import pytest
from django.db import connection
from django.db.transaction import Atomic

from accounts.throttling.hashing import Gate
from developers.outbound.transport import addresses
from tests.writers import files_on_the_stack

WRITE = re.compile(
    r"\s*(?:(?:INSERT|REPLACE|UPDATE|DELETE|MERGE|TRUNCATE)\b|WITH\b.*\b(?:INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM)\b)",
    re.I | re.DOTALL,
)
LOCK = re.compile(r"\bFOR (NO KEY )?UPDATE\b")
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
COLUMNS = re.compile(r"\s*INSERT\b[^(]*\(([^)]*)\)\s*VALUES\b", re.I)


@dataclass(frozen=True, slots=True)
class Bound:
    rows: int
    statements: int


MOST = Bound(rows=3_000, statements=60)
# By the file whose transaction it is, each with the time that was measured.
EXCEPTIONS: dict[str, Bound] = {}


@dataclass(slots=True)
class Written:
    """What a transaction has written so far, and the number of the tests' frames on the stack when it was opened."""

    frames: int = 0
    rows: int = 0
    statements: int = 0


def watch_transactions() -> None:
    """Count what each transaction and savepoint of the product writes. Those of tests are left out."""
    enter: Any = Atomic.__enter__

    def watched(self: Any) -> None:
        enter(self)
        is_of_tests = self._from_testcase or next(files_on_the_stack(), "tests").startswith("tests")
        self.written = None if is_of_tests else Written(frames_of_tests())

    Atomic.__enter__ = watched  # type: ignore[method-assign]
    # Every hash of a password takes a place first, and every outbound connection asks where it may go.
    Gate.place = outside_of_transactions(Gate.place)  # type: ignore[method-assign]
    addresses.is_open = outside_of_transactions(addresses.is_open)


def outside_of_transactions(work: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Fail the test where slow work begins while a transaction of the product is open."""

    @wraps(work)
    def watched(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        written = [getattr(block, "written", None) for block in connection.atomic_blocks]
        # More frames of tests than when it was opened: a test acts as another request in the middle of one.
        if frames_of_tests() in [block.frames for block in written if block]:
            pytest.fail(f"{work.__qualname__} is called inside of a transaction by {', '.join(files_on_the_stack())}.")
        return work(*args, **kwargs)

    return watched


def frames_of_tests() -> int:
    return sum(file.startswith("tests") for file in files_on_the_stack())


def refuse_long_transactions(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    if locks_a_table(str(sql)) and not (files := [*files_on_the_stack(), "tests"])[0].startswith("tests"):
        pytest.fail(f"{files[0]} locks every row of a table: {str(sql)[:200]}")
    result = execute(sql, params, many, context)
    if WRITE.match(str(sql)):
        counts = (block.written for block in context["connection"].atomic_blocks)
        # A statement by itself is a transaction, too.
        written = next(filter(None, counts), None) or Written()
        written.statements += 1
        written.rows += rows_of(str(sql), params, context["cursor"].rowcount, many=many)
        if written.rows > MOST.rows or written.statements > MOST.statements:
            _refuse(written, list(files_on_the_stack()))
    return result


def locks_a_table(sql: str) -> bool:
    """Return whether a statement of PostgreSQL locks all rows of a table: others would wait for each of them."""
    return LOCK.search(sql) is not None and " WHERE " not in sql


def rows_of(sql: str, params: Any, counted: int, *, many: bool) -> int:
    """Count the rows that a statement wrote. Drivers count those that it returns only once they are fetched."""
    if many or not (columns := COLUMNS.match(sql)):
        return max(counted, 0)
    return max(counted, len(params or ()) // (columns[1].count(",") + 1))


def _refuse(written: Written, files: list[str]) -> None:
    writer = files[0] if files else "tests"
    if writer.startswith("tests") or "/migrations/" in writer:
        return
    bound = next((EXCEPTIONS[file] for file in files if file in EXCEPTIONS), MOST)
    if written.rows > bound.rows or written.statements > bound.statements:
        # No exception of the kind that the code under test may catch.
        pytest.fail(f"A transaction of {writer} writes {written.rows} rows by {written.statements} statements.")
