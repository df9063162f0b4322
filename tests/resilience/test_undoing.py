"""Six threads repeat a harmless form in a stolen session while its owner acts, on a real server."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import LOG_IN
from tests.cast import PASSWORD
from tests.resilience.stolen_sessions import (
    LOG_IN_PAGE,
    NEW_PASSWORD,
    SECURITY,
    THREADS,
    add_passkey,
    errors,
    logged_in,
    make_people,
    post,
    repeated,
    send,
)
from tests.server import Server, poll

pytestmark = [pytest.mark.server, pytest.mark.resilience, pytest.mark.release]
NEW_EMAIL = "new@wonderland.example"
MAIL = "SELECT message FROM post_office_email WHERE \"to\" = 'new@wonderland.example'"
APIS = "/developers/third-party-apps-api/"
SET_ACTIVE = [
    "UPDATE accounts_user SET is_active = true WHERE email = 'deactivated@example.com'",
    "UPDATE accounts_user SET is_active = false WHERE email = 'deactivated@example.com'",
]
IS_ACTIVE = "SELECT is_active FROM accounts_user WHERE email = 'deactivated@example.com'"
NAMES = ["password", "deactivated", "deleted", "email", "passkey", "factors", "api"]
PASSKEY_OF = """
SELECT id FROM mfa_authenticator WHERE type = 'webauthn'
AND user_id = (SELECT id FROM accounts_user WHERE email = '{name}@example.com')
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("undoing")
    with Server(folder, MAIL_WORKER="off") as server:
        make_people(server, NAMES)
        yield server


def test_a_new_password_stays(server: Server) -> None:
    passwords = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    with (
        logged_in(server, "password") as owner,
        logged_in(server, "password") as thief,
        repeated(server, thief) as statuses,
    ):
        post(owner, "/account/password/change/", **passwords)

    assert errors(statuses) == []
    with logged_in(server, "password", NEW_PASSWORD), server.client() as other:
        refused = post(other, LOG_IN_PAGE, login="password@example.com", password=PASSWORD)
    assert refused.status_code == 200


def test_a_deactivated_account_stays_so(server: Server) -> None:
    """Activated again, the account is changed by the thief until the next time."""
    kept: list[bool] = []

    with logged_in(server, "deactivated") as thief, repeated(server, thief) as statuses, server.database() as database:
        for statement in 5 * SET_ACTIVE:
            database.execute(statement)
            enough = len(statuses) + THREADS
            poll(lambda enough=enough: len(statuses) >= enough)  # type: ignore[misc]
            kept.append(bool(server.rows(IS_ACTIVE)[0][0]))

    assert errors(statuses) == []
    assert kept == 5 * [True, False]


def test_a_deleted_account_stays_deleted(server: Server) -> None:
    with (
        logged_in(server, "deleted") as owner,
        logged_in(server, "deleted") as thief,
        repeated(server, thief) as statuses,
    ):
        answer = post(owner, "/account/delete/", email="deleted@example.com")

    assert answer.status_code == 302
    assert errors(statuses) == []
    assert server.rows("SELECT 1 FROM accounts_user WHERE email = 'deleted@example.com'") == []


def test_a_confirmed_email_is_the_one_of_user_and_address_and_logs_in(server: Server) -> None:
    with logged_in(server, "email") as owner, logged_in(server, "email") as thief:
        post(owner, "/account/email/", email=NEW_EMAIL, action_add="")
        [(mail,)] = server.rows(MAIL)
        link = re.search(rf"{server.url}(/account/confirm-email/\S+)", mail)
        assert link

        with repeated(server, thief) as statuses:
            post(owner, link[1])

    assert errors(statuses) == []
    found = "SELECT u.email, a.email FROM accounts_user u JOIN account_emailaddress a ON a.user_id = u.id"
    assert server.rows(f"{found} WHERE '{NEW_EMAIL}' IN (u.email, a.email)") == [(NEW_EMAIL, NEW_EMAIL)]
    with logged_in(server, NEW_EMAIL) as back:
        assert back.get(SECURITY).status_code == 200


def opens(server: Server, key: SecurityKey) -> bool:
    """Use a passkey on the log-in page."""
    with server.client() as client:
        asked = client.get(LOG_IN, headers={"X-Requested-With": "XMLHttpRequest"}).json()
        answer = key.get(asked["request_options"]["publicKey"])
        send(client, client.get(LOG_IN_PAGE), LOG_IN, credential=answer)
        return client.get(SECURITY).status_code == 200


def remove_on_its_page(server: Server, owner: httpx.Client, path: str, name: str) -> None:
    answer = send(owner, owner.get(path), f"{path}remove/")
    assert answer.status_code == 302


def remove_by_command(server: Server, owner: httpx.Client, path: str, name: str) -> None:
    done = server.manage("remove_factors", "--user", f"{name}@example.com")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "remove"), [("passkey", remove_on_its_page), ("factors", remove_by_command)])
def test_a_removed_passkey_is_not_brought_back_by_a_new_name(server: Server, name: str, remove: Any) -> None:
    with logged_in(server, name) as owner, logged_in(server, name) as thief:
        key = add_passkey(server, owner)
        was_open = opens(server, key)
        [(pk,)] = server.rows(PASSKEY_OF.format(name=name))
        path = f"{SECURITY}passkeys/{pk}/"

        with repeated(server, thief, path) as statuses:
            remove(server, owner, path, name)

    assert was_open
    assert errors(statuses) == []
    assert server.rows(PASSKEY_OF.format(name=name)) == []
    assert not opens(server, key)


def test_a_deleted_api_is_not_brought_back_by_saving_it(server: Server) -> None:
    recipe = {"method": "GET", "url": "https://api.example.com"}
    with logged_in(server, "api") as owner, logged_in(server, "api") as thief:
        path = post(owner, f"{APIS}new/", name="Orders", **recipe).headers["Location"]
        page = owner.get(path)

        with repeated(server, thief, path, **recipe) as statuses:
            answer = send(owner, page, f"{path}delete/", is_sure="on")

    assert (answer.status_code, answer.headers.get("Location")) == (302, APIS)
    assert errors(statuses) == []
    assert server.rows("SELECT 1 FROM outbound_outboundapi WHERE deleted_at IS NULL") == []
