"""A database that cannot serve for a while: 503, a sentence, and nothing half written."""

import sqlite3
from collections.abc import Iterator

import pytest
from django.db import Error, InternalError, OperationalError, ProgrammingError, connection
from django.test import Client
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout

from accounts.models import User
from botpenguin import outages
from botpenguin.platform.models import Bot
from tests.cast import sign_in, token_text

READ_ONLY = {
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "postgresql": ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
}


@pytest.fixture(autouse=True)
def nobody_has_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "breaker", outages.Breaker())


@pytest.fixture
def headers(alice: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_text(alice)}"}


@pytest.fixture
def read_only(transactional_db: None, alice: User, headers: dict[str, str]) -> Iterator[None]:
    begin, end = READ_ONLY[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(begin)
        try:
            yield
        finally:
            cursor.execute(end)


@pytest.mark.usefixtures("read_only")
def test_a_good_token_is_good_where_only_reading_works(headers: dict[str, str]) -> None:
    answer = Client().get("/api/v7/token", headers=headers)

    assert answer.status_code == 200


@pytest.mark.usefixtures("read_only")
def test_a_call_that_must_write_is_told_to_come_back_and_writes_nothing(headers: dict[str, str]) -> None:
    bot = {"name": "Reception", "platform": "website"}

    answer = Client().post("/api/v7/bots", bot, content_type="application/json", headers=headers)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json() == {
        "success": False,
        "message": "The database is out of reach, and nothing was changed. Try again in a few seconds.",
        "data": ["The database is out of reach, and nothing was changed. Try again in a few seconds."],
        "code": 503,
    }
    assert Bot.objects.count() == 0


def test_an_act_of_a_page_that_meets_a_locked_database_gets_a_page_and_one_line_in_the_log(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    browser = sign_in(alice)
    browser.raise_request_exception = False

    def fail(execute: object, sql: str, *arguments: object) -> None:
        raise OperationalError("database is locked")

    with connection.execute_wrapper(fail):
        answer = browser.get("/developers/api-access-token/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The database is out of reach" in answer.content.decode()
    told = [record.getMessage() for record in caplog.records if record.name == "botpenguin.outages"]
    assert told == ["GET '' was answered 503, since the database cannot serve: database is locked"]


def caused(error: Error, cause: BaseException) -> Error:
    error.__cause__ = cause
    return error


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("trouble")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "is_outage"),
    [
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_BUSY)), True),
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT)), True),
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_ERROR)), False),
        (caused(OperationalError(), sqlite3.OperationalError()), False),
        (caused(InternalError(), ReadOnlySqlTransaction()), True),
        (caused(OperationalError(), PoolTimeout()), True),
        (ProgrammingError(), False),
        (ZeroDivisionError(), False),
    ],
)
def test_what_passes_by_itself_is_told_from_what_is_wrong(error: BaseException, is_outage: bool) -> None:
    assert outages.is_outage(error) is is_outage


def test_once_a_request_has_waited_in_vain_the_next_are_told_at_once(
    alice: User, headers: dict[str, str], client: Client
) -> None:
    client.raise_request_exception = False
    outages.note(caused(OperationalError(), PoolTimeout()), "GET", "/")

    answers = [
        client.get("/api/v7/token", headers=headers).status_code,
        client.get("/account/login/").status_code,
        client.get("/healthz").status_code,
        client.get("/readyz").status_code,
    ]

    assert answers == [503, 503, 200, 200]
