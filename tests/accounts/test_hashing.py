"""Argon2 is slow on purpose, and SQLite has one writer at a time: no transaction is open while hashing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.adapter import AccountAdapter
from accounts.models import User
from developers.models import RevokedToken
from tests.accounts.mail.mails import link_in, newest
from tests.cast import PASSWORD, logged_in

pytestmark = [pytest.mark.matrix, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("queued_mail")]

NEW_PASSWORD = "another good passphrase"
NEW = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "revoke_token": "on"}


class Watched(PBKDF2PasswordHasher):
    """A hasher that notes whether a transaction was open each time it hashed."""

    algorithm = "watched"
    iterations = 1
    inside: list[bool] = []

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        self.inside.append(connection.in_atomic_block)
        return super().encode(password, salt, iterations)


@pytest.fixture
def hashed_inside(alice: User, settings: Settings) -> list[bool]:
    settings.PASSWORD_HASHERS = [f"{__name__}.Watched", *settings.PASSWORD_HASHERS]
    Watched.inside = []
    return Watched.inside


def change(alice: User) -> None:
    logged_in(alice).post("/account/password/change/", {"oldpassword": PASSWORD} | NEW)


def reset(alice: User) -> None:
    browser = Browser()
    browser.post("/account/password/reset/", {"email": alice.email})
    form: Any = browser.get(link_in(newest()), follow=True).redirect_chain[-1][0]
    browser.post(form, NEW)


@pytest.mark.no_cover
@pytest.mark.parametrize("choose", [change, reset])
def test_a_new_password_is_hashed_before_the_transaction_that_saves_it(
    alice: User, hashed_inside: list[bool], choose: Callable[[User], None]
) -> None:
    choose(alice)

    alice.refresh_from_db()
    assert set(hashed_inside) == {False}
    assert (alice.check_password(NEW_PASSWORD), RevokedToken.objects.count()) == (True, 1)


def test_a_new_password_is_hashed_once(alice: User, hashed_inside: list[bool]) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    hashed_inside.clear()

    change(alice)

    # Compares the old password, and hashes the new one.
    assert len(hashed_inside) == 2


def test_an_account_made_by_code_is_hashed_before_its_transaction(hashed_inside: list[bool]) -> None:
    made = User.objects.create_user("carol@example.com", PASSWORD)

    assert hashed_inside == [False]
    assert made.emailaddress_set.get().verified


def test_a_password_that_nobody_has_hashed_before_is_hashed_when_it_is_saved(alice: User) -> None:
    AccountAdapter().set_password(alice, NEW_PASSWORD)

    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
