"""Key ring, codes or account change between two steps of a second factor."""

from typing import Any

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import ADD, add_passkey, is_logged_in, options_on
from tests.accounts.views.second_step import (
    CODES,
    NEW,
    OTHER_KEY,
    SECURITY,
    SET_UP,
    SHOW,
    code_of,
    give_code,
    give_password,
    key_on,
    stored,
)
from tests.cast import logged_in


def takes_hold(sql: str) -> bool:
    """Return whether a statement is the one that locks the person's row."""
    return sql.startswith("SELECT") and '"session_epoch" = ' in sql


@pytest.fixture
def recovery_codes(alice: User) -> list[str]:
    TOTP.activate(alice, pyotp.random_base32())
    codes: list[str] = RecoveryCodes.activate(alice).get_unused_codes()
    return codes


def test_a_key_that_left_the_ring_while_an_app_was_set_up_is_replaced_by_a_new_one(
    alice: User, settings: Settings
) -> None:
    browser = logged_in(alice)
    key = key_on(browser.get(SET_UP))
    settings.TOKEN_KEYS = [OTHER_KEY]

    response = browser.post(SET_UP, {"code": code_of(key)})

    new = key_on(response)
    assert "The key on this page had expired. Scan the new one, and type its code." in response.content.decode()
    assert new != key
    assert browser.post(SET_UP, {"code": code_of(new)}).status_code == 302
    assert stored(alice, Authenticator.Type.TOTP).wrap().validate_code(code_of(new, periods_away=1))


def test_recovery_codes_of_a_key_that_left_the_ring_are_not_shown(
    alice: User, recovery_codes: list[str], settings: Settings
) -> None:
    browser = logged_in(alice)
    settings.TOKEN_KEYS = [OTHER_KEY]

    response = browser.post(SHOW, follow=True)

    assert response.redirect_chain == [(CODES, 302)]
    assert "This server cannot read your codes any more." in response.content.decode()
    assert browser.post(NEW).status_code == 302


def test_recovery_codes_renewed_while_one_is_given_are_no_error(alice: User, recovery_codes: list[str]) -> None:
    browser = give_password()

    def renew(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT") and '"mfa_authenticator"."id" = ' in sql:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM mfa_authenticator WHERE type = 'recovery_codes'")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(renew):
        response = give_code(browser, recovery_codes[0])

    assert response.status_code == 200
    assert "That code is not right, or it has been used." in response.content.decode()
    assert not is_logged_in(browser)


def test_an_app_that_another_request_has_just_set_up_is_left_as_it_is(alice: User) -> None:
    browser = logged_in(alice)
    key = key_on(browser.get(SET_UP))
    other = pyotp.random_base32()

    def set_up(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if takes_hold(sql) and not Authenticator.objects.exists():
            TOTP.activate(alice, other)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(set_up):
        response = browser.post(SET_UP, {"code": code_of(key)})

    assert (response.status_code, response["Location"]) == (302, SECURITY)
    assert stored(alice, Authenticator.Type.TOTP).wrap().validate_code(code_of(other))


@pytest.mark.parametrize("path", [SET_UP, ADD])
def test_nothing_is_added_to_an_account_deleted_meanwhile(alice: User, path: str) -> None:
    key = SecurityKey()
    browser = logged_in(alice)
    page = browser.get(path)
    answer = {"code": code_of(key_on(page))} if path == SET_UP else {"credential": key.create(options_on(page))}

    def delete(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if takes_hold(sql):
            User.objects.filter(pk=alice.pk).delete()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(delete):
        response = browser.post(path, answer)

    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")
    assert not Authenticator.objects.exists()


def test_a_passkey_that_a_page_still_lists_is_removed_once_and_no_other(alice: User) -> None:
    for _ in range(2):
        add_passkey(alice, SecurityKey())
    passkey = Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN)[0]
    browser, path = logged_in(alice), f"{SECURITY}passkeys/{passkey.pk}/remove/"

    responses = [browser.post(path) for _ in range(2)]

    assert [response.status_code for response in responses] == [302, 404]
    assert Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).count() == 1


@pytest.mark.usefixtures("recovery_codes")
def test_codes_are_locked_while_it_is_noted_that_they_were_shown(alice: User) -> None:
    """One column holds both that and which are used. SQLite locks everything, so it has no such statement."""
    browser = logged_in(alice)

    with CaptureQueriesContext(connection) as queries:
        browser.post(SHOW)

    locks = [query for query in queries if query["sql"].endswith("FOR UPDATE") and "mfa_auth" in query["sql"]]
    assert bool(locks) == connection.features.has_select_for_update
