"""For schemathesis: reports come from an address each, as a trusted proxy tells it.

Of one address ten a minute are looked at, which would leave most untried.
"""

from itertools import count
from typing import Any

import schemathesis

numbers = count()


@schemathesis.hook
def before_call(context: Any, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    if case.path == "/token/report-exposed":
        case.headers["X-Forwarded-For"] = f"2001:db8:{next(numbers):x}::1"
