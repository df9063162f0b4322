"""No transaction of the product writes more than a tenth of a second's worth: held in every test.

SQLite has one write lock, so others wait for as long as a transaction writes, whosever it is. The longest one is the
end of an import, which is measured below 100 ms at these bounds. Tests and migrations write what they like.
"""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.db.transaction import Atomic

from tests.writers import files_on_the_stack

WRITE = re.compile(
    r"\s*(?:(?:INSERT|REPLACE|UPDATE|DELETE|MERGE|TRUNCATE)\b|WITH\b.*\b(?:INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM)\b)",
    re.I | re.DOTALL,
)
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
    """What a transaction has written so far."""

    rows: int = 0
    statements: int = 0


def watch_transactions() -> None:
    """Have every transaction and savepoint of the product know what it has written; a test's own are left out."""
    enter: Any = Atomic.__enter__

    def watched(self: Any) -> None:
        enter(self)
        is_of_tests = self._from_testcase or next(files_on_the_stack(), "tests").startswith("tests")
        self.written = None if is_of_tests else Written()

    Atomic.__enter__ = watched  # type: ignore[method-assign]


def refuse_long_transactions(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
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
