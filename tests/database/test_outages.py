"""A database that cannot serve for a while: responses are 503 with a sentence, and nothing is half written."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import redis
from django.db import Error, InternalError, OperationalError, ProgrammingError, connection
from django.test import Client
from django.test import Client as Browser
from django.utils import timezone
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout

from accounts.models import Session, User
from accounts.orm import best_effort
from accounts.throttling import breaker as breaking
from accounts.throttling.breaker import QUIET_SECONDS, OutOfReach
from botpenguin.database import outages
from botpenguin.platform.models import Bot, Contact
from developers.models import ApiToken
from tests.cast import logged_in, token_events, token_text
from tests.clock import Clock
from tests.pages import PRIVATE_PAGES

READ_ONLY = {
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "postgresql": ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
}
# SQLite accepts no lower number of pages than it has; VACUUM removes the free ones of earlier tests.
FULL = ("VACUUM; PRAGMA max_page_count = 1", "PRAGMA max_page_count = 4294967294")
HARMS = {"read-only": READ_ONLY[connection.vendor]} | ({"full": FULL} if connection.vendor == "sqlite" else {})
# They keep a challenge, or a key to confirm, in the session.
WRITING_PAGES = {"/account/security/authenticator/", "/account/security/passkeys/add/"}
AS_SCRIPT = {"Accept": "application/json"}
ACTIONS = ["show", "copy", "try", "revoke"]


@pytest.fixture
def headers(alice: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_text(alice)}"}


@pytest.fixture
def browser(alice: User) -> Browser:
    """Alice's browser, whose requests record much: she was last seen long ago, and has another time zone now."""
    browser = logged_in(alice)
    browser.raise_request_exception = False
    browser.cookies["time_zone"] = "Asia/Tokyo"
    be_away_for_long()
    return browser


def be_away_for_long() -> None:
    Session.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))


@pytest.fixture
def read_only(transactional_db: None, browser: Browser, headers: dict[str, str]) -> Iterator[None]:
    with only_reading():
        yield


@contextmanager
def only_reading() -> Iterator[None]:
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


@pytest.mark.usefixtures("transactional_db")
def test_pages_are_drawn_where_only_reading_works_and_the_log_has_one_line(
    browser: Browser, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # After a failure nothing is recorded for two seconds. The clock stands still, so all pages are within them.
    monkeypatch.setattr(best_effort, "time", Clock())

    usual = {page: browser.get(page).status_code for page in PRIVATE_PAGES}
    be_away_for_long()
    caplog.clear()

    with only_reading():
        answers = {page: browser.get(page).status_code for page in PRIVATE_PAGES}

    assert answers == usual | dict.fromkeys(WRITING_PAGES, 503)
    shown = [record.getMessage() for record in caplog.records if record.name == best_effort.__name__]
    assert len(shown) == 1
    assert re.match(r"Where user \d+ was last seen was not recorded: ", shown[0])


@pytest.mark.usefixtures("read_only")
@pytest.mark.parametrize("action", ACTIONS)
def test_actions_that_leave_a_record_are_refused_whole_where_nothing_can_be_written(
    browser: Browser, alice: User, action: str
) -> None:
    before = list(token_events().values_list()), ApiToken.objects.values_list().get()

    answer = browser.post(f"/developers/api-access-token/{action}/", {"generation": 1}, headers=AS_SCRIPT)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Nothing was changed." in answer.content.decode()
    assert (list(token_events().values_list()), ApiToken.objects.values_list().get()) == before


@pytest.mark.usefixtures("read_only")
def test_a_call_that_must_write_is_asked_to_retry_and_writes_nothing(headers: dict[str, str]) -> None:
    bot = {"name": "Reception", "platform": "website"}

    answer = Client().post("/api/v7/bots", bot, content_type="application/json", headers=headers)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json() == {
        "success": False,
        "message": "The server cannot do this right now, and nothing was changed. Try again in a few seconds.",
        "data": ["The server cannot do this right now, and nothing was changed. Try again in a few seconds."],
        "code": 503,
        "error": "unavailable",
    }
    assert Bot.objects.count() == 0


@pytest.mark.parametrize("harm", HARMS)
def test_an_import_that_the_database_cannot_hold_is_refused_whole_and_taken_once_it_can(
    transactional_db: None, headers: dict[str, str], harm: str
) -> None:
    begin, end = HARMS[harm]
    users = [
        {"profile": {"userDetails": {"userProvidedName": "x" * 200, "contact": {"email": f"{number}@example.com"}}}}
        for number in range(200)
    ]

    def upload() -> int:
        answer = Client().post("/api/v7/inbox/users/import", users, content_type="application/json", headers=headers)
        return answer.status_code

    with connection.cursor() as cursor:
        for statement in begin.split("; "):
            cursor.execute(statement)
        try:
            refused = upload(), Contact.objects.count()
        finally:
            cursor.execute(end)
    taken = upload(), Contact.objects.count()

    assert refused == (503, 0)
    assert taken == (201, 200)


def test_a_page_that_meets_a_locked_database_is_503_with_one_line_in_the_log(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    browser = logged_in(alice)
    browser.raise_request_exception = False

    def fail(execute: object, sql: str, *arguments: object) -> None:
        raise OperationalError("database is locked")

    with connection.execute_wrapper(fail):
        answer = browser.get("/developers/api-access-token/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "We cannot do this right now" in answer.content.decode()
    shown = [record.getMessage() for record in caplog.records if record.name == "botpenguin.database.outages"]
    assert shown == ["GET '' was answered 503, since the database cannot serve: database is locked"]
    assert [record for record in caplog.records if record.name == "django.request"] == []


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
        (redis.ConnectionError(), True),
        (redis.exceptions.BusyLoadingError(), True),
        (redis.TimeoutError(), True),
        (redis.ResponseError(), True),
        (redis.exceptions.NoPermissionError(), True),
        (redis.exceptions.MasterDownError("MASTERDOWN"), True),
        (redis.exceptions.ClusterDownError("CLUSTERDOWN"), True),
        (redis.exceptions.MaxConnectionsError(), True),
        (redis.exceptions.InvalidResponse(), True),
        (redis.exceptions.DataError(), False),
        (OutOfReach(), True),
        (ProgrammingError(), False),
        (ZeroDivisionError(), False),
    ],
)
def test_outages_are_distinguished_from_errors(error: BaseException, is_outage: bool) -> None:
    assert outages.is_outage(error) is is_outage


def test_an_outage_of_the_cache_is_logged_once_however_many_requests_meet_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(breaking, "time", clock)

    full = redis.ResponseError("MISCONF full")
    outage = [full, redis.ConnectionError("reset"), redis.ConnectionError("refused"), OutOfReach("Another waits.")]

    for _ in range(3):
        clock.now += QUIET_SECONDS - 1
        for error in outage:
            outages.log_outage(error, "GET", "/")
    clock.now += QUIET_SECONDS + 1
    outages.log_outage(full, "GET", "/")
    outages.log_outage(redis.ResponseError("NOREPLICAS"), "GET", "/")

    shown = [message.rpartition(": ")[2] for message in caplog.messages]
    assert shown == ["MISCONF full", "reset", "MISCONF full", "NOREPLICAS"]


def test_background_work_logs_an_outage_once_and_a_bug_each_time(caplog: pytest.LogCaptureFixture) -> None:
    gone, refused = OperationalError("gone\n"), redis.ResponseError("NOPERM no")
    errors = [gone, gone, refused, OutOfReach("Another waits."), refused, ValueError("bug"), ValueError("bug"), gone]

    for error in errors:
        outages.log_failed_round("Work waits", error)

    assert [(record.getMessage(), record.exc_info is not None) for record in caplog.records] == [
        ("Work waits, since the database cannot serve: gone", False),
        ("Work waits, since the cache cannot serve: NOPERM no", False),
        ("Work waits: this round failed.", True),
        ("Work waits: this round failed.", True),
    ]


def test_once_a_request_has_waited_in_vain_the_next_are_refused_at_once(
    alice: User, headers: dict[str, str], client: Client
) -> None:
    client.raise_request_exception = False
    outages.log_outage(caused(OperationalError(), PoolTimeout()), "GET", "/")

    answers = [
        client.get("/api/v7/token", headers=headers).status_code,
        client.get("/account/login/").status_code,
        client.get("/healthz").status_code,
        client.get("/readyz").status_code,
    ]

    assert answers == [503, 503, 200, 200]
