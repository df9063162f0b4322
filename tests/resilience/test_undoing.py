"""Six threads repeat a harmless form in a stolen session, or log in, while the owner acts: over a real server."""

import itertools
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import ADD, LOG_IN, SECOND_STEP, options_on
from tests.server import Server, poll

pytestmark = [pytest.mark.server, pytest.mark.resilience, pytest.mark.release]
THREADS = 6
PASSWORD, NEW_PASSWORD = "correct horse battery staple", "another good passphrase"
NEW_EMAIL = "new@wonderland.example"
MAIL = "SELECT message FROM post_office_email WHERE \"to\" = 'new@wonderland.example'"
LOG_IN_PAGE, SECURITY = "/account/login/", "/account/security/"
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
# Of one address only so many log-ins are taken.
addresses = (f"198.18.{number // 250}.{number % 250}" for number in itertools.count())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("undoing")
    with Server(folder, MAIL_WORKER="off", TRUSTED_PROXIES="127.0.0.1") as server:
        code = MAKE_PEOPLE.format(names=NAMES, password=PASSWORD)
        made = server.manage("shell", "--no-imports", "-c", code)
        assert made.returncode == 0, made.stderr
        yield server


def send(client: httpx.Client, page: httpx.Response, path: str, **fields: str) -> httpx.Response:
    """Send a form as a page has it."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    return client.post(path, data={"csrfmiddlewaretoken": token[1], **fields})


def post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return send(client, client.get(path), path, **fields)


@contextmanager
def logged_in(server: Server, name: str, password: str = PASSWORD) -> Iterator[httpx.Client]:
    email = name if "@" in name else f"{name}@example.com"
    with server.client() as client:
        answer = post(client, LOG_IN_PAGE, login=email, password=password)
        assert answer.status_code == 302
        yield client


def errors(statuses: Iterable[int]) -> list[int]:
    return [status for status in statuses if status >= 500]


@contextmanager
def by_six_threads(act: Callable[[], list[int]]) -> Iterator[list[int]]:
    """Act over and over until the block ends, and once more; yield the statuses of the answers."""
    is_over = threading.Event()
    statuses: list[int] = []

    def repeat() -> None:
        is_last = False
        while not is_last:
            is_last = is_over.is_set()
            statuses.extend(act())

    with ThreadPoolExecutor(THREADS) as threads:
        running = [threads.submit(repeat) for _ in range(THREADS)]
        try:
            poll(lambda: len(statuses) >= THREADS or any(thread.done() for thread in running))
            yield statuses
        finally:
            is_over.set()
        for thread in running:
            thread.result()


@contextmanager
def repeated(server: Server, session: httpx.Client, path: str = "/account/", **fields: str) -> Iterator[list[int]]:
    """Send one form in one session by six threads, meanwhile."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', session.get(path).text)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "name": "Thief", **fields}

    def save() -> list[int]:
        with server.client() as client:
            client.cookies = session.cookies
            return [client.post(path, data=form).status_code]

    with by_six_threads(save) as statuses:
        yield statuses


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
    assert server.rows("SELECT 1 FROM outbound_outboundapi") == []


def unless_busy(answer: httpx.Response) -> httpx.Response | None:
    is_busy = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and "Retry-After" in answer.headers
    return None if is_busy else answer


class LogIn:
    """Somebody logs in, from an address of their own, by the password of before, and by a passkey after it."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.client = server.client()
        self.client.headers.update({"X-Forwarded-For": next(addresses), "Connection": "close"})
        self.statuses: list[int] = []

    def give_password(self) -> None:
        """Give it until it is taken: of unknown browsers few are hashed for at once, and others asked to come again."""
        form = {"login": f"{self.name}@example.com", "password": PASSWORD}
        answer = poll(lambda: unless_busy(post(self.client, LOG_IN_PAGE, **form)))
        self.statuses.append(answer.status_code)

    def prepare(self, key: SecurityKey) -> None:
        """Give the password, and have the passkey answer."""
        self.give_password()
        self.page = self.client.get(SECOND_STEP)
        self.credential = key.get(options_on(self.page))

    def finish(self) -> None:
        answer = send(self.client, self.page, SECOND_STEP, credential=self.credential)
        self.statuses.append(answer.status_code)

    def later(self) -> tuple[int, str]:
        """Return what a later request is answered."""
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
        # It opens once the command does so at its other end, and the command goes on once it is closed.
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
