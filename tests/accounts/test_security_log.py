"""The security log records each event once, with its client, and never a secret."""

import ast
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import security_log
from accounts.events import FAILURES, SecurityEvent
from accounts.models import Session, User
from tests.accounts.mail.mails import link_in, newest
from tests.accounts.security_log import Detail, Kind, events, log_in, logged_in_with_empty_log, visitor
from tests.cast import LAPTOP, PASSWORD, account_events
from tests.server import ROOT

NEW_PASSWORD = "another good passphrase"


@pytest.mark.django_db
def test_logging_out_nobody_is_no_event() -> None:
    visitor().logout()

    assert account_events().count() == 0


def test_logging_in_and_out_is_recorded_once_each(alice: User) -> None:
    log_in().post("/account/logout/")

    assert events(alice) == [(Kind.LOGGED_IN, Detail.PASSWORD), (Kind.LOGGED_OUT, "")]


def test_logging_out_without_being_logged_in_is_not_recorded(alice: User) -> None:
    visitor().post("/account/logout/")
    Browser().logout()

    assert not account_events().exists()


def test_signing_up_is_the_first_event_of_an_account(db: None) -> None:
    browser = visitor()
    browser.post("/account/signup/", {"email": "carol@example.com", "password1": NEW_PASSWORD})

    browser.post(link_in(newest()))

    assert events(User.objects.get()) == [(Kind.SIGNED_UP, "")]


@pytest.mark.parametrize("typed", ["alice@example.com", "Alice@Example.com"])
def test_a_wrong_password_of_a_known_account_is_written(alice: User, bob: User, typed: str) -> None:
    log_in("guessed wrong", typed)

    assert (events(alice), events(bob)) == ([(Kind.LOG_IN_FAILED, Detail.PASSWORD)], [])


def test_an_unknown_address_writes_nothing_and_costs_two_small_queries_less(alice: User) -> None:
    log_in("guessed wrong")
    with CaptureQueriesContext(connection) as known:
        log_in("guessed wrong")
    count = account_events().count()
    with CaptureQueriesContext(connection) as unknown:
        log_in("guessed wrong", "nobody@example.com")

    ours = [query["sql"] for query in known if "accounts_securityevent" in query["sql"]]
    assert [sql.split(maxsplit=1)[0] for sql in ours] == ["SELECT", "INSERT"]
    assert [query for query in unknown if "accounts_securityevent" in query["sql"]] == []
    assert account_events().count() == count


def test_code_that_asks_without_a_request_is_written_without_a_client(alice: User) -> None:
    user = authenticate(email="alice@example.com", password="guessed wrong")
    authenticate(token="x")

    event = account_events().get()
    assert (user, event.kind, event.ip, event.client) == (None, Kind.LOG_IN_FAILED, None, "")


@pytest.mark.parametrize("kind", FAILURES[:3])
def test_a_flood_of_failures_stops_being_written_and_hides_nothing_else(alice: User, bob: User, kind: Any) -> None:
    for _ in range(security_log.FAILURES_AN_HOUR + 5):
        security_log.record_failure(kind, alice, LAPTOP, Detail.PASSWORD)

    security_log.record_failure(kind, bob, LAPTOP, Detail.PASSWORD)
    security_log.record_failure(kind, alice, LAPTOP, Detail.AUTHENTICATOR)
    security_log.record(Kind.LOGGED_IN, alice, LAPTOP)

    counts = [account_events().filter(user=user).count() for user in (alice, bob)]
    assert counts == [security_log.FAILURES_AN_HOUR + 2, 1]


def test_an_hour_later_failures_are_written_again(alice: User) -> None:
    for _ in range(security_log.FAILURES_AN_HOUR):
        security_log.record_failure(Kind.LOG_IN_FAILED, alice, LAPTOP, Detail.PASSWORD)
    SecurityEvent._base_manager.update(at=timezone.now() - timedelta(minutes=61))

    security_log.record_failure(Kind.LOG_IN_FAILED, alice, LAPTOP, Detail.PASSWORD)

    assert account_events().count() == security_log.FAILURES_AN_HOUR + 1


def test_a_changed_password_is_written_with_the_change(alice: User) -> None:
    browser = logged_in_with_empty_log(alice)

    browser.post(
        "/account/password/change/", {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    )

    assert events(alice) == [(Kind.PASSWORD_CHANGED, "")]


@pytest.mark.usefixtures("queued_mail")
def test_a_reset_password_is_written(alice: User) -> None:
    browser = visitor()
    browser.post("/account/password/reset/", {"email": "alice@example.com"})
    page = browser.get(link_in(newest()), follow=True)

    browser.post(page.request["PATH_INFO"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert events(alice) == [(Kind.PASSWORD_RESET, "")]


@pytest.mark.usefixtures("queued_mail")
def test_a_changed_email_is_written_when_it_is_asked_for_and_once_its_link_is_followed(alice: User) -> None:
    browser = logged_in_with_empty_log(alice)
    browser.post("/account/email/", {"email": "alice@example.net", "action_add": ""})
    before = events(alice)

    browser.post(link_in(newest()))

    assert (before, events(alice)) == ([(Kind.EMAIL_ASKED, "")], [(Kind.EMAIL_ASKED, ""), (Kind.EMAIL_CHANGED, "")])


def test_ending_sessions_is_written_where_there_were_any(alice: User) -> None:
    for _ in range(3):
        Browser().force_login(alice)
    there = Session.objects.filter(user=alice).first()
    browser = logged_in_with_empty_log(alice)

    for _ in range(2):
        browser.post("/account/sessions/end/", {"session": there.pk if there else ""})
        browser.post("/account/sessions/end-others/")
    browser.post("/account/sessions/end/")

    assert events(alice) == [(Kind.SESSION_ENDED, ""), (Kind.SESSIONS_ENDED, "")]


@pytest.mark.no_cover
def test_one_function_a_table_adds_events_and_one_forgets_them_and_nothing_changes_one() -> None:
    writes = {"create", "bulk_create", "get_or_create", "update_or_create", "update", "bulk_update", "delete", "save"}
    writes.add("delete_in_batches")
    events = re.compile("SecurityEvent|EventCount|security_events|event_counts")
    found = {
        (str(path.relative_to(ROOT)), function.name, name)
        for app in ("accounts", "developers", "botpenguin")
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts and events.search(path.read_text())
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        if (name := getattr(call.func, "attr", getattr(call.func, "id", ""))) in writes
        if events.search(ast.unparse(call if name == "delete_in_batches" else call.func))
    }

    assert found == {
        ("accounts/security_log.py", "add", "create"),
        ("accounts/security_log.py", "_count", "bulk_create"),
        ("accounts/security_log.py", "forget", "delete_in_batches"),
    }
