"""The two most frequent calls, answered without Django's request and response: half of their time."""

from collections.abc import Callable
from http import HTTPStatus
from itertools import count
from typing import Any

from django.conf import settings
from pydantic_core import to_json

from botpenguin.platform.api import call_limits, token
from botpenguin.platform.api.envelope import JSON
from botpenguin.platform.api.reply import Reply
from developers.bearer import verification
from developers.bearer.verification import Bearer

Operation = Callable[[dict[str, Any]], tuple[Bearer, Reply]]

TOKEN, CHECK = "/api/v7/token", "/api/v7/token/check"
# Counted without a lock: it only chooses which calls are logged.
accepted_checks = count()


def read_token(environ: dict[str, Any]) -> tuple[Bearer, Reply]:
    bearer = verification.check_environ(environ)
    call_limits.count(environ, bearer)
    return bearer, Reply(HTTPStatus.OK, {"Content-Type": JSON}, to_json(token.described(bearer)))


def check_token(environ: dict[str, Any]) -> tuple[Bearer, Reply]:
    bearer = verification.check_environ(environ)
    return bearer, Reply(HTTPStatus.NO_CONTENT, token.identity(bearer))


def is_sampled() -> bool:
    """Return whether this accepted check is logged."""
    return settings.LOG_CHECKS_EVERY > 0 and next(accepted_checks) % settings.LOG_CHECKS_EVERY == 0


OPERATIONS: dict[str, Operation] = {TOKEN: read_token, CHECK: check_token}
