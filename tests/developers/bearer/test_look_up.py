"""The look-up through the backend's own cursor, as in production, where no query is captured."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import RequestFactory

from accounts.models import User
from developers import tokens
from developers.bearer import verification
from developers.bearer.verification import RefusalReason, TokenRefused
from tests.cast import token_text


@pytest.fixture(autouse=True)
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "execute_wrappers", [])


def check(token: str) -> verification.Bearer:
    return verification.check(RequestFactory().get("/", headers={"Authorization": f"Bearer {token}"}))


def test_it_finds_whose_token_it_is(alice: User, bob: User) -> None:
    found = check(token_text(alice))

    assert (found.owner_id, found.email, found.is_active) == (alice.pk, alice.email, True)
    assert found.issued_at == alice.api_token.issued_at
    assert check(token_text(bob)).owner_id == bob.pk


def test_it_finds_nobody_for_an_unknown_token(alice: User) -> None:
    with pytest.raises(TokenRefused) as refused:
        check(tokens.generate().open())

    assert refused.value.refusal is RefusalReason.UNKNOWN


def test_what_the_driver_raises_is_an_outage_to_django_too(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_text(alice)

    driver: Any = connection

    class Gone:
        def execute(self, *statement: Any) -> None:
            raise driver.Database.OperationalError("the database has gone away")

        def close(self) -> None:
            pass

    with monkeypatch.context() as patched:
        # SQLite is asked without a cursor of Django.
        if connection.vendor == "sqlite":
            patched.setattr(connection, "connection", Gone())
        else:
            patched.setattr(connection, "create_cursor", Gone)
        patched.setattr(connection, "errors_occurred", False)
        with pytest.raises(OperationalError, match="the database has gone away"):
            check(token)
        # Then Django checks the connection before the next request.
        assert connection.errors_occurred
