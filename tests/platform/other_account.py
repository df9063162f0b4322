"""For schemathesis: how it is to ask.

Reports come from an address each, as a trusted proxy tells it: of one address ten a minute are looked at, which would
leave most untried. And of contacts that differ in nothing but what the server tells and does not take, one is sent.
"""

from itertools import count
from typing import Any

import schemathesis

numbers = count()
# The API's reference says so. With any of them a body is a contact, which would have all others tried with each.
NOT_TAKEN = {
    *("_customer", "_id", "createdAt", "isImported", "isOnline", "lastMessage", "lastSeenAt", "segments", "updatedAt")
}
sent: set[str] = set()


@schemathesis.hook
def before_call(context: Any, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    if case.path == "/token/report-exposed":
        case.headers["X-Forwarded-For"] = f"2001:db8:{next(numbers):x}::1"


@schemathesis.hook
def filter_case(context: Any, case: schemathesis.Case[Any]) -> bool:
    """Leave out a body of which all that is taken was sent before."""
    if not isinstance(case.body, dict) or case.body.keys() <= NOT_TAKEN or NOT_TAKEN.isdisjoint(case.body):
        return True
    taken = {name: value for name, value in case.body.items() if name not in NOT_TAKEN}
    asked = repr((case.method, case.path, case.path_parameters, case.query, case.headers, taken))
    is_new = asked not in sent
    sent.add(asked)
    return is_new
