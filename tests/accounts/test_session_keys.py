"""The key of a session: only its cookie holds it, and it works only while the session exists."""

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client as Browser

from accounts.models import Session, User
from accounts.sessions import SessionStore
from tests.accounts.sessions import end, is_logged_in, key_of, log_in, row_of
from tests.cast import PASSWORD


def test_a_copied_cookie_of_an_ended_session_opens_nothing(alice: User) -> None:
    here, there = log_in(), log_in()
    thief = Browser()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key_of(there)
    assert is_logged_in(thief)

    end(here, row_of(there))

    assert not is_logged_in(thief)


def test_a_copied_cookie_opens_nothing_after_logging_out(alice: User) -> None:
    here = log_in()
    thief = Browser()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key_of(here)

    here.post("/account/logout/")

    assert not is_logged_in(thief)


def test_logging_in_gives_the_session_another_key(alice: User) -> None:
    """Otherwise an attacker who had planted a key in a browser would be logged in too."""
    browser = Browser()
    browser.get("/account/login/passkey/", headers={"Accept": "application/json"})
    planted = key_of(browser)

    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})

    thief = Browser()
    thief.cookies[settings.SESSION_COOKIE_NAME] = planted
    assert (is_logged_in(browser), key_of(browser) == planted, is_logged_in(thief)) == (True, False, False)


def test_a_request_that_was_under_way_does_not_bring_an_ended_session_back(alice: User) -> None:
    here, there = log_in(), log_in()
    under_way = SessionStore(key_of(there))
    under_way["seen"] = True

    end(here, row_of(there))

    with pytest.raises(UpdateError):
        under_way.save()
    assert not is_logged_in(there)


def test_the_database_holds_no_key_that_a_cookie_could_carry(alice: User) -> None:
    browser = log_in()

    rows = list(Session.objects.values_list())

    assert key_of(browser) not in repr(rows)


def test_a_session_without_a_key_can_be_deleted(db: None) -> None:
    SessionStore().delete()

    assert not Session.objects.exists()


def test_a_key_is_known_to_exist_by_its_digest(alice: User) -> None:
    browser = log_in()

    assert (SessionStore().exists(key_of(browser)), SessionStore().exists("x" * 32)) == (True, False)
