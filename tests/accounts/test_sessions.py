"""The list of sessions, and ending them: a copied cookie no longer works."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import sessions
from accounts.models import Session, User
from tests.accounts.sessions import end, is_logged_in, log_in, row_of
from tests.cast import PASSWORD, logged_in, reauthenticate

SECURITY = "/account/security/"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"
LONG_AGO = timedelta(days=3)


def messages_on(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def rows_on(browser: Browser) -> list[str]:
    """Return what the page says of each session, in words."""
    section = browser.get(SECURITY).content.decode().partition('id="sessions"')[2].partition("</section>")[0]
    rows = re.findall(r"<li.*?</li>", section, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def test_the_page_lists_the_sessions_with_this_device_first(alice: User, bob: User) -> None:
    here, there = log_in(), log_in(CHROME, "2001:db8::7")
    logged_in(bob)
    Session.objects.update(signed_in_at=datetime(2020, 3, 4, 5, 6, tzinfo=UTC))
    Session.objects.filter(pk=row_of(there).pk).update(last_seen_at=timezone.now() - LONG_AGO)

    rows = rows_on(here)

    assert rows == [
        "Firefox, macOS This device 203.0.113.9 · logged in 4 Mar 2020, 05:06",
        "Chrome, Windows 2001:db8::7 · logged in 4 Mar 2020, 05:06 · last seen 3 days ago Log out",
    ]


def test_a_session_without_address_and_user_agent_is_listed_as_unknown(alice: User) -> None:
    here = log_in("", "")

    assert rows_on(here)[0].startswith("Unknown browser This device logged in")


def test_the_page_says_when_there_is_no_other_session(alice: User) -> None:
    page = log_in().get(SECURITY).content.decode()

    assert "You are not logged in anywhere else." in page
    assert "Log out everywhere else" not in page


def test_ending_one_session_leaves_the_others(alice: User) -> None:
    here, there, elsewhere = log_in(), log_in(), log_in()

    response = end(here, row_of(there))

    assert response.redirect_chain == [(SECURITY, 302)]
    assert messages_on(response) == ["That browser is logged out."]
    assert [is_logged_in(browser) for browser in (here, there, elsewhere)] == [True, False, True]


@pytest.mark.no_cover
def test_ending_every_other_session_keeps_this_one(alice: User, bob: User) -> None:
    here, there, elsewhere, somebody_else = log_in(), log_in(), log_in(), logged_in(bob)

    response = here.post("/account/sessions/end-others/", follow=True)

    assert response.redirect_chain == [(SECURITY, 302)]
    assert messages_on(response) == ["Logged out everywhere else."]
    assert [is_logged_in(browser) for browser in (here, there, elsewhere, somebody_else)] == [True, False, False, True]


def test_the_sessions_of_a_deactivated_account_are_closed_at_once(alice: User, bob: User) -> None:
    here, there, somebody_else = log_in(), log_in(), logged_in(bob)

    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert [is_logged_in(browser) for browser in (here, there, somebody_else)] == [False, False, True]


@pytest.mark.no_cover
def test_ending_sessions_needs_no_recent_authentication(alice: User) -> None:
    """It discloses nothing, and a person who fears a thief must not be delayed."""
    here, there, elsewhere = log_in(), log_in(), log_in()
    reauthenticate(here, alice, seconds_ago=7200)

    end(here, row_of(there))
    here.post("/account/sessions/end-others/")

    assert [is_logged_in(browser) for browser in (here, there, elsewhere)] == [True, False, False]


@pytest.mark.no_cover
@pytest.mark.parametrize("session", ["", "no such session", "\x00"])
def test_ending_a_session_that_has_ended_says_so(alice: User, session: str) -> None:
    here, there = log_in(), log_in()

    response = here.post("/account/sessions/end/", {"session": session}, follow=True)

    assert messages_on(response) == ["That browser was already logged out."]
    assert is_logged_in(there)


def test_nobody_ends_the_session_of_somebody_else(alice: User, bob: User) -> None:
    theirs = logged_in(bob)

    response = end(log_in(), row_of(theirs))

    assert messages_on(response) == ["That browser was already logged out."]
    assert is_logged_in(theirs)


def test_the_session_that_asks_is_ended_by_logging_out_only(alice: User) -> None:
    here = log_in()

    end(here, row_of(here))

    assert is_logged_in(here)


def test_last_seen_is_written_once_a_minute_and_costs_no_query_besides(alice: User) -> None:
    browser = log_in()
    browser.get("/account/")
    Session.objects.update(last_seen_at=timezone.now() - LONG_AGO)
    browser.defaults["REMOTE_ADDR"] = "198.51.100.24"

    with CaptureQueriesContext(connection) as first:
        browser.get("/account/")
    with CaptureQueriesContext(connection) as second:
        browser.get("/account/")

    # The update, in a transaction and between two changes of how long to wait for a lock.
    assert (len(first), len(second)) == (2 + 6, 2)
    seen = row_of(browser)
    assert (timezone.now() - seen.last_seen_at < timedelta(minutes=1), seen.ip) == (True, "198.51.100.24")


def test_a_new_password_keeps_the_time_of_the_log_in(alice: User) -> None:
    browser = log_in()
    Session.objects.update(signed_in_at=timezone.now() - LONG_AGO)
    before = row_of(browser)

    new = "another good passphrase"
    browser.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})

    after = row_of(browser)
    assert (before.pk != after.pk, before.signed_in_at == after.signed_in_at) == (True, True)
    assert Session.objects.count() == 1


def test_the_time_of_the_log_in_is_new_when_another_person_logs_in(alice: User, bob: User) -> None:
    browser = log_in()
    Session.objects.update(signed_in_at=timezone.now() - LONG_AGO)

    browser.force_login(bob)

    row = row_of(browser)
    assert (row.user, timezone.now() - row.signed_in_at < timedelta(minutes=1)) == (bob, True)


def test_an_expired_session_is_neither_listed_nor_open_and_is_cleared(alice: User) -> None:
    here, there = log_in(), log_in()
    Session.objects.filter(pk=row_of(there).pk).update(expire_date=timezone.now() - timedelta(seconds=1))

    listed = len(rows_on(here))
    was_open = is_logged_in(there)
    call_command("clearsessions")

    assert (listed, was_open, Session.objects.count()) == (1, False, 1)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "ahead",
    [
        {"signed_in_at": timedelta(minutes=1)},
        pytest.param({"signed_in_at": timedelta(days=400)}, marks=pytest.mark.release),
        {"last_seen_at": timedelta(hours=1)},
        {"expire_date": timedelta(days=14, minutes=1)},
        pytest.param({"expire_date": timedelta(days=36_500)}, marks=pytest.mark.release),
    ],
    ids=str,
)
def test_a_session_dated_in_the_future_opens_nothing_and_can_be_ended(alice: User, ahead: dict[str, timedelta]) -> None:
    dated, other = log_in(), log_in()
    Session.objects.filter(pk=row_of(dated).pk).update(**{name: timezone.now() + by for name, by in ahead.items()})

    was_logged_in = is_logged_in(dated)
    other.post("/account/sessions/end-others/")

    assert (was_logged_in, is_logged_in(other)) == (False, True)
    assert Session.objects.count() == 1


def test_a_session_of_a_node_whose_clock_is_a_little_ahead_is_good(alice: User) -> None:
    browser = log_in()
    now = timezone.now()
    ahead = {
        "signed_in_at": now,
        "last_seen_at": now,
        "expire_date": now + timedelta(seconds=settings.SESSION_COOKIE_AGE),
    }
    Session.objects.update(**{name: at + timedelta(seconds=3) for name, at in ahead.items()})

    assert is_logged_in(browser)


def test_a_log_in_beyond_the_most_ends_the_session_last_seen_longest_ago(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 2)
    bobs, oldest, newer = logged_in(bob), log_in(), log_in()
    Session.objects.filter(pk=row_of(oldest).pk).update(last_seen_at=timezone.now() - LONG_AGO)

    newest = log_in()
    last = log_in()

    assert [is_logged_in(browser) for browser in (bobs, oldest, newer, newest, last)] == [
        True,
        False,
        False,
        True,
        True,
    ]
