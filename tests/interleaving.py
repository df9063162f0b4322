"""What happens if another request commits in the instant before a statement."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def just_before(statement: str, act: Callable[[], object]) -> Iterator[list[str]]:
    """Act once, right before the first statement that begins with a pattern; yield the list of what met it."""
    met: list[str] = []

    def watch(execute: Any, sql: Any, *rest: Any) -> Any:
        if not met and re.match(statement, str(sql)):
            met.append(str(sql))
            act()
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield met
