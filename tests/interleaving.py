"""Lets another request commit immediately before a statement."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def just_before(statement: str, act: Callable[[], object]) -> Iterator[list[str]]:
    """Call a function once, immediately before the first statement that begins with a pattern. Yield the list of these
    statements."""
    met: list[str] = []

    def watch(execute: Any, sql: Any, *rest: Any) -> Any:
        if not met and re.match(statement, str(sql)):
            met.append(str(sql))
            act()
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield met
