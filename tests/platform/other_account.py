"""Hooks for schemathesis.

Each report has an address of its own in the header of a trusted proxy: the server reads only ten reports a minute per
address. Of contacts that differ only in read-only keys, only one is sent.
"""

from itertools import count
from typing import Any

import schemathesis

from tests.platform.whole_rules import restore

numbers = count()
# Read-only keys. A body with any of them is a contact, so each of them would be tried with all others.
READ_ONLY = {
    *("_customer", "_id", "createdAt", "isImported", "isOnline", "lastMessage", "lastSeenAt", "segments", "updatedAt")
}
sent: set[str] = set()


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Hold the server against all that it takes, of which the document leaves out what generators cannot express."""
    restore(raw_schema)


@schemathesis.hook
def before_call(context: Any, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    if case.path == "/token/report-exposed":
        case.headers["X-Forwarded-For"] = f"2001:db8:{next(numbers):x}::1"


@schemathesis.hook
def filter_case(context: Any, case: schemathesis.Case[Any]) -> bool:
    """Leave out a body that differs from an earlier one only in read-only keys."""
    if not isinstance(case.body, dict) or case.body.keys() <= READ_ONLY or READ_ONLY.isdisjoint(case.body):
        return True
    writable = {name: value for name, value in case.body.items() if name not in READ_ONLY}
    asked = repr((case.method, case.path, case.path_parameters, case.query, case.headers, writable))
    is_new = asked not in sent
    sent.add(asked)
    return is_new
