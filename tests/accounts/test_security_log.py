"""The security log records each event once, with its client, and never a secret."""

import ast
import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth import authenticate
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import security_log
from accounts.events import FAILURES, SecurityEvent
from accounts.models import Session, User
from tests.accounts.mail.mails import link_in, newest
from tests.accounts.mfa.security_key import SecurityKey
from tests.cast import LAPTOP, PASSWORD, account_events, reauthenticate
from tests.server import ROOT

LOG = "/account/security/log/"
FILE = "/account/security/log/download/"
AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7; rv:133.0) Gecko/20100101 Firefox/133.0"
ADDRESS = "203.0.113.9"
NEW_PASSWORD = "another good passphrase"
Detail, Kind = SecurityEvent.Detail, SecurityEvent.Kind
HEAD = ["When", "What", "Detail", "Token", "From", "Client"]


def visitor() -> Browser:
    return Browser(headers={"User-Agent": AGENT}, REMOTE_ADDR=ADDRESS)


def log_in(password: str = PASSWORD, email: str = "alice@example.com") -> Browser:
    browser = visitor()
    browser.post("/account/login/", {"login": email, "password": password})
    return browser


def logged_in_with_empty_log(user: User) -> Browser:
    """Return a browser in which a person is logged in, and empty the log."""
    browser = visitor()
    browser.force_login(user)
    reauthenticate(browser, user)
    account_events().delete()
    return browser


def events(user: User) -> list[tuple[str, str]]:
    """Return what the log holds of a person; all of it from the one client of these tests."""
    rows = account_events().filter(user=user).order_by("pk")
    assert {(row.ip, row.client) for row in rows} <= {(ADDRESS, AGENT)}
    return [(row.kind, row.detail) for row in rows]


@pytest.mark.django_db
def test_logging_out_nobody_is_no_event() -> None:
    visitor().logout()

    assert account_events().count() == 0


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).now()


@pytest.fixture
def secret(alice: User) -> str:
    """The secret of Alice's app. She has recovery codes too."""
    secret = pyotp.random_base32()
    TOTP.activate(alice, secret)
    RecoveryCodes.activate(alice)
    return secret


@pytest.fixture
def recovery_codes(alice: User, secret: str) -> list[str]:
    codes = Authenticator.objects.get(user=alice, type=Authenticator.Type.RECOVERY_CODES)
    return codes.wrap().get_unused_codes()  # type: ignore[no-any-return]


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


def test_the_second_step_is_recorded_with_its_detail(alice: User, secret: str) -> None:
    browser = log_in()
    browser.post("/account/login/second-step/", {"code": "000000"})
    browser.post("/account/login/second-step/", {"code": code_of(secret)})

    assert events(alice) == [
        (Kind.LOG_IN_FAILED, Detail.AUTHENTICATOR),
        (Kind.LOGGED_IN, Detail.AUTHENTICATOR),
    ]


def test_a_recovery_code_is_mailed_besides_the_log_in(alice: User, recovery_codes: list[str]) -> None:
    log_in().post("/account/login/second-step/", {"code": recovery_codes[0]})

    assert events(alice) == [(Kind.CODE_USED, ""), (Kind.LOGGED_IN, Detail.RECOVERY_CODES)]


def test_adding_and_removing_a_passkey_is_recorded(alice: User) -> None:
    add, log_in_by_passkey, key = "/account/security/passkeys/add/", "/account/login/passkey/", SecurityKey()
    browser, other = logged_in_with_empty_log(alice), visitor()

    browser.post(add, {"name": "", "credential": key.create(browser.get(add).context["options"]["publicKey"])})
    challenge = other.get(log_in_by_passkey, headers={"Accept": "application/json"}).json()
    other.post(log_in_by_passkey, {"credential": key.get(challenge["request_options"]["publicKey"])})
    passkey = Authenticator.objects.get(type=Authenticator.Type.WEBAUTHN)
    browser.post(f"/account/security/passkeys/{passkey.pk}/remove/")

    assert events(alice) == [
        (Kind.FACTOR_ADDED, Detail.PASSKEY),
        (Kind.FACTOR_ADDED, Detail.RECOVERY_CODES),
        (Kind.LOGGED_IN, Detail.PASSKEY),
        (Kind.FACTOR_REMOVED, Detail.PASSKEY),
        (Kind.FACTOR_REMOVED, Detail.RECOVERY_CODES),
    ]


def test_reauthentication_and_its_failures_are_recorded(alice: User, secret: str) -> None:
    browser = logged_in_with_empty_log(alice)

    browser.post("/account/reauthenticate/", {"password": "guessed wrong"})
    browser.post("/account/reauthenticate/", {"password": PASSWORD})
    browser.post("/account/reauthenticate/code/", {"code": "000000"})
    browser.post("/account/reauthenticate/code/", {"code": code_of(secret)})

    assert events(alice) == [
        (Kind.CONFIRMING_FAILED, Detail.PASSWORD),
        (Kind.CONFIRMED, Detail.PASSWORD),
        (Kind.CONFIRMING_FAILED, Detail.AUTHENTICATOR),
        (Kind.CONFIRMED, Detail.AUTHENTICATOR),
    ]


def test_an_authentication_of_another_kind_is_recorded_without_detail(alice: User) -> None:
    browser = visitor()
    browser.force_login(alice)
    session = browser.session
    session["account_authentication_methods"] = [{"method": "code", "at": 0.0}]
    session["account_authentication_methods_user"] = str(alice.pk)
    session.save()

    browser.force_login(alice)

    assert list(account_events().values_list("kind", "detail")) == [(Kind.LOGGED_IN, ""), (Kind.LOGGED_IN, "")]


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


@pytest.mark.django_db(transaction=True)
def test_ways_to_log_in_are_written_as_they_come_and_go(alice: User) -> None:
    browser = logged_in_with_empty_log(alice)
    page = browser.get("/account/security/authenticator/").content.decode()
    key = re.findall(r"\b[A-Z2-7]{32}\b", page)[0]

    browser.post("/account/security/authenticator/", {"code": code_of(key)})
    browser.post("/account/security/recovery-codes/new/")
    browser.post("/account/security/authenticator/remove/")

    assert events(alice) == [
        (Kind.FACTOR_ADDED, Detail.AUTHENTICATOR),
        (Kind.FACTOR_ADDED, Detail.RECOVERY_CODES),
        (Kind.CODES_RENEWED, ""),
        (Kind.FACTOR_REMOVED, Detail.AUTHENTICATOR),
        (Kind.FACTOR_REMOVED, Detail.RECOVERY_CODES),
    ]


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


def test_no_event_holds_a_secret(alice: User, secret: str, recovery_codes: list[str]) -> None:
    log_in("guessed wrong")
    browser = log_in()
    browser.post("/account/login/second-step/", {"code": recovery_codes[0]})
    token = browser.post("/developers/api-access-token/show/", headers={"Accept": "application/json"}).json()["token"]

    shown = [
        repr(list(account_events().values_list())),
        browser.get("/account/security/log/").content.decode(),
        browser.get("/account/security/log/download/").content.decode(),
    ]

    assert "API token shown" in shown[1]
    for kept in ("guessed wrong", PASSWORD, secret, recovery_codes[0], token):
        assert [text for text in shown if kept in text] == []


def test_one_function_a_table_adds_events_and_one_forgets_them_and_nothing_changes_one() -> None:
    writes = {"create", "bulk_create", "get_or_create", "update_or_create", "update", "bulk_update", "delete", "save"}
    writes.add("delete_in_batches")
    found = {
        (str(path.relative_to(ROOT)), function.name, name)
        for app in ("accounts", "developers", "botpenguin")
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        if (name := getattr(call.func, "attr", getattr(call.func, "id", ""))) in writes
        if re.search(
            r"SecurityEvent|EventCount|security_events|event_counts",
            ast.unparse(call if name == "delete_in_batches" else call.func),
        )
    }

    assert found == {
        ("accounts/security_log.py", "add", "create"),
        ("accounts/security_log.py", "_count", "bulk_create"),
        ("accounts/security_log.py", "forget", "delete_in_batches"),
    }
