"""Requests that carry a token, and a database that fails under them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.test import RequestFactory

from developers.bearer import verification
from developers.bearer.verification import RefusalReason, TokenRefused


def bearing(authorization: str | None, **headers: str) -> HttpRequest:
    if authorization is not None:
        headers["authorization"] = authorization
    return RequestFactory().get("/api/v7/token", headers=headers)


def refusal(request: HttpRequest) -> RefusalReason:
    with pytest.raises(TokenRefused) as caught:
        verification.check(request)
    return caught.value.refusal


def failing_on(verb: str) -> Callable[..., Any]:
    """Make the database refuse statements of one kind, as a locked or read-only one does."""

    def execute(run: Callable[..., Any], sql: str, *args: Any) -> Any:
        if sql.startswith(verb):
            raise OperationalError("attempt to write a readonly database")
        return run(sql, *args)

    return execute
