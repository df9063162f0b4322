"""Only `developers/issuance.py` and `developers/usage.py` write the tables of the token. Every test checks this.

The writer of a statement is the innermost file of the project on the stack. Tests may arrange rows themselves, and
an account's deletion deletes its rows.
"""

import re
import sys
from collections.abc import Iterator
from traceback import walk_stack
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.server import ROOT

WRITERS = {"developers/issuance.py", "developers/usage.py"}
# They change what rows look like, on every machine once.
MIGRATIONS = "developers/migrations/"
# Who deletes accounts, and what goes with them.
DELETERS = ("accounts/deletion.py", "accounts/email_changes.py")
# What tables do by themselves, whoever writes a row, what deletes rows for its callers, and the guards themselves.
PASSED_OVER = (
    *("accounts/orm/append_only.py", "accounts/orm/batches.py", "accounts/orm/changes.py"),
    *("tests/writers.py", "tests/whole_rows.py", "tests/short_transactions.py"),
)
OURS = ("accounts", "botpenguin", "developers", "tests")
WRITE = re.compile(r'\s*(INSERT|REPLACE|UPDATE|DELETE|TRUNCATE)\b[\w\s]*"?developers_(apitoken|revokedtoken)\b', re.I)


def watch(connection: BaseDatabaseWrapper, **signal: Any) -> None:
    # Here, since they need this module.
    from tests.short_transactions import refuse_long_transactions  # noqa: PLC0415
    from tests.whole_rows import refuse_whole_rows  # noqa: PLC0415

    for guard in (refuse_others, refuse_whole_rows, refuse_long_transactions):
        if guard not in connection.execute_wrappers:
            # Before those of a test, which takes the last one away again.
            connection.execute_wrappers.insert(0, guard)


def refuse_others(execute: Any, sql: Any, *rest: Any) -> Any:
    write = WRITE.match(str(sql))
    if write:
        files = list(files_on_the_stack())
        writer = files[0] if files else "tests"
        goes_with_account = write[1].upper() == "DELETE" and writer in DELETERS
        if not (writer.startswith(("tests", MIGRATIONS)) or not WRITERS.isdisjoint(files) or goes_with_account):
            # No exception of the kind that the code under test may catch.
            pytest.fail(f"{writer} writes a table of the token, which only {' and '.join(sorted(WRITERS))} may.")
    return execute(sql, *rest)


def files_on_the_stack() -> Iterator[str]:
    """The project's files that led to the statement, the innermost first."""
    for frame, _ in walk_stack(sys._getframe(2)):
        name = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
        if name.split("/")[0] in OURS and name not in PASSED_OVER:
            yield name
