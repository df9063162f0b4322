"""Six threads repeat a harmless form in a stolen session, or log in, while the owner ends that, on a real server."""

import itertools
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import ADD, LOG_IN, SECOND_STEP, options_on
from tests.cast import PASSWORD
from tests.resilience.stolen_sessions import LOG_IN_PAGE, THREADS, by_six_threads, logged_in, post, repeated, send
from tests.server import Server, poll

pytestmark = [pytest.mark.server, pytest.mark.resilience, pytest.mark.release]
NEW_PASSWORD = "another good passphrase"
NEW_EMAIL = "new@wonderland.example"
MAIL = "SELECT message FROM post_office_email WHERE \"to\" = 'new@wonderland.example'"
SECURITY = "/account/security/"
APIS = "/developers/third-party-apps-api/"
MAKE_PEOPLE = """
from accounts.models import User
for name in {names}:
    User.objects.create_user(name + "@example.com", "{password}")
"""
NAMES = ["password", "deactivated", "deleted", "email", "passkey", "factors", "api", "waiting", "signing-in"]
PASSKEY_OF = """
SELECT id FROM mfa_authenticator WHERE type = 'webauthn'
AND user_id = (SELECT id FROM accounts_user WHERE email = '{name}@example.com')
"""
REMOVE_FACTORS = """
from django.core.management import call_command
open("{}").read()
call_command("remove_factors", "--user", "waiting@example.com")
"""
# Log-ins per address are limited.
addresses = (f"198.18.{number // 250}.{number % 250}" for number in itertools.count())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("undoing")
    with Server(folder, MAIL_WORKER="off", TRUSTED_PROXIES="127.0.0.1") as server:
        code = MAKE_PEOPLE.format(names=NAMES, password=PASSWORD)
        made = server.manage("shell", "--no-imports", "-c", code)
        assert made.returncode == 0, made.stderr
        yield server


def errors(statuses: Iterable[int]) -> list[int]:
    return [status for status in statuses if status >= 500]


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
    with logged_in(server, "deactivated") as thief, repeated(server, thief) as statuses, server.database() as database:
        database.execute("UPDATE accounts_user SET is_active = false WHERE email = 'deactivated@example.com'")

    assert errors(statuses) == []
    assert server.rows("SELECT is_active FROM accounts_user WHERE email = 'deactivated@example.com'") in [
        [(0,)],
        [(False,)],
    ]


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


def add_passkey(server: Server, owner: httpx.Client) -> SecurityKey:
    key = SecurityKey(origin=server.url)
    page = owner.get(ADD)
    answer = send(owner, page, ADD, credential=key.create(options_on(page)), name="Laptop")
    assert answer.status_code == 302
    return key


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


def unless_busy(answer: httpx.Response) -> httpx.Response | None:
    is_busy = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and "Retry-After" in answer.headers
    return None if is_busy else answer


class LogIn:
    """A log-in from an address of its own, with the old password and then with a passkey."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.client = server.client()
        self.client.headers.update({"X-Forwarded-For": next(addresses), "Connection": "close"})
        self.statuses: list[int] = []

    def give_password(self) -> None:
        """Send the password until it is checked: few of unknown browsers are hashed at once, and others are refused."""
        form = {"login": f"{self.name}@example.com", "password": PASSWORD}
        answer = poll(lambda: unless_busy(post(self.client, LOG_IN_PAGE, **form)))
        self.statuses.append(answer.status_code)

    def prepare(self, key: SecurityKey) -> None:
        """Send the password, and have the passkey sign."""
        self.give_password()
        self.page = self.client.get(SECOND_STEP)
        self.credential = key.get(options_on(self.page))

    def finish(self) -> None:
        answer = send(self.client, self.page, SECOND_STEP, credential=self.credential)
        self.statuses.append(answer.status_code)

    def later(self) -> tuple[int, str]:
        """Return status and location of a later request."""
        answer = self.client.get(SECURITY)
        return answer.status_code, answer.headers.get("Location", "").partition("?")[0]


def test_no_log_in_under_way_outlives_the_removal_of_factors(server: Server, tmp_path: Path) -> None:
    with logged_in(server, "waiting") as owner:
        key = add_passkey(server, owner)
    log_ins = [LogIn(server, "waiting") for _ in range(4 * THREADS)]
    os.mkfifo(pipe := tmp_path / "pipe")
    removing = server.manage_in_background("shell", "--no-imports", "-c", REMOVE_FACTORS.format(pipe))

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(lambda log_in: log_in.prepare(key), log_ins))
        # The pipe opens once the command opens its other end, and the command continues once it is closed.
        with pipe.open("w"):
            finishing = [threads.submit(log_in.finish) for log_in in log_ins]
        output, _ = removing.communicate()
        for finished in finishing:
            finished.result()

    assert output.startswith("Removed: ")
    assert {log_in.later() for log_in in log_ins} == {(302, LOG_IN_PAGE)}
    assert errors(status for log_in in log_ins for status in log_in.statuses) == []


def test_no_log_in_under_way_outlives_a_new_password(server: Server) -> None:
    log_ins: list[LogIn] = []
    passwords = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    def log_in() -> list[int]:
        log_ins.append(one := LogIn(server, "signing-in"))
        one.give_password()
        return one.statuses

    with logged_in(server, "signing-in") as owner:
        with by_six_threads(log_in) as statuses:
            changed = post(owner, "/account/password/change/", **passwords)
        stays = owner.get(SECURITY).status_code

    assert (changed.status_code, stays) == (302, 200)
    assert {log_in.later() for log_in in log_ins} == {(302, LOG_IN_PAGE)}
    assert errors(statuses) == []
