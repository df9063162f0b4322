"""Ending all sessions also ends log-ins under way, and no later request restores a session."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import signals
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from accounts.backends import PasswordResetTokens
from accounts.models import Session, User
from accounts.receivers import finish_log_in
from accounts.sessions import SessionStore, end_all
from tests.cast import PASSWORD, logged_in

NEW_PASSWORD = "another good passphrase"
OLD_HASH = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)
End = Callable[[User], object]


def change_password(user: User) -> None:
    user.refresh_from_db()
    user.set_password(NEW_PASSWORD)
    user.save()
    end_all(user)


def end_other_sessions(user: User) -> None:
    user.refresh_from_db()
    logged_in(user).post(reverse("end-other-sessions"))


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def remove_factors(user: User) -> None:
    user.authenticator_set.create(type="webauthn", data={"name": "Laptop"})
    call_command("remove_factors", "--user", user.email)


ENDS = [change_password, end_other_sessions, end_all, remove_factors]


def log_in() -> Any:
    return Browser().post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})


def is_logged_in(browser: Browser) -> bool:
    return browser.get(reverse("security")).status_code == 200


@pytest.mark.parametrize("end", [*ENDS, deactivate])
def test_a_log_in_under_way_ends_with_it(alice: User, monkeypatch: pytest.MonkeyPatch, end: End) -> None:
    """The password is checked already, and the session not yet written."""
    check = User.check_password
    ended: list[bool] = []

    def check_and_end(user: User, password: str) -> bool:
        is_right = check(user, password)
        if not ended:
            ended.append(True)
            end(User.objects.get(pk=user.pk))
        return is_right

    monkeypatch.setattr(User, "check_password", check_and_end)

    browser = Browser()
    answer = browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/account/login/")
    assert not is_logged_in(browser)


@pytest.mark.parametrize("end", ENDS)
def test_a_session_written_too_late_opens_nothing(alice: User, end: End) -> None:
    browser = logged_in(alice)
    [row] = Session.objects.all()

    end(alice)
    Session.objects.bulk_create([row], ignore_conflicts=True)

    assert not is_logged_in(browser)


def test_ending_the_other_sessions_keeps_the_own_one(alice: User) -> None:
    here, there = logged_in(alice), logged_in(alice)

    here.post(reverse("end-other-sessions"))

    assert (is_logged_in(here), is_logged_in(there)) == (True, False)


def test_a_session_of_the_release_before_stays_good(alice: User) -> None:
    """Its hash is that of Django until all sessions are ended once."""
    assert alice.session_epoch == ""
    assert alice.get_session_auth_hash() == alice.password_fingerprint()

    end_all(alice)

    assert alice.get_session_auth_hash() != alice.password_fingerprint()


def test_a_session_of_a_deleted_person_is_not_written(alice: User) -> None:
    browser = logged_in(alice)
    store = SessionStore(browser.session.session_key)
    store["note"] = "loaded"
    alice.delete()

    with pytest.raises(UpdateError):
        store.save()

    assert not Session.objects.exists()


@pytest.mark.no_cover
def test_a_log_in_hashes_an_old_password_anew(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(password=OLD_HASH)

    answer = log_in()

    alice.refresh_from_db()
    assert answer["Location"] == "/"
    assert alice.password.startswith("md5$")
    assert is_logged_in(answer.client)


def test_hashing_an_old_password_anew_does_not_undo_a_new_one(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(password=OLD_HASH)
    reading = User.objects.get(pk=alice.pk)
    new = make_password(NEW_PASSWORD)
    User.objects.filter(pk=alice.pk).update(password=new)

    assert reading.check_password(PASSWORD)

    alice.refresh_from_db()
    assert alice.password == new


def test_a_mailed_link_ends_with_a_restore_and_not_with_the_sessions(alice: User) -> None:
    tokens = PasswordResetTokens()
    link = tokens.make_token(alice)
    end_all(alice)
    still_good = tokens.check_token(User.objects.get(), link)

    User.objects.update(restored_at=timezone.now())

    assert still_good
    assert not tokens.check_token(User.objects.get(), link)


def test_the_time_of_a_log_in_is_noted_once(alice: User) -> None:
    """Django connects its own receiver only where no other has this name."""
    connected = signals.user_logged_in.receivers

    assert [receiver() for (name, _), receiver, *_rest in connected if name == "update_last_login"] == [finish_log_in]
