"""Six threads repeat a harmless form in a stolen session, while the owner acts: over a real server."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from tests.server import Server

pytestmark = [pytest.mark.server, pytest.mark.resilience, pytest.mark.release]
THREADS = 6
PASSWORD, NEW_PASSWORD = "correct horse battery staple", "another good passphrase"
MAKE_PEOPLE = """
from accounts.models import User
for name in {names}:
    User.objects.create_user(name + "@example.com", "{password}")
"""
NAMES = ["password", "deactivated", "deleted"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("undoing"), MAIL_WORKER="off") as server:
        code = MAKE_PEOPLE.format(names=NAMES, password=PASSWORD)
        made = server.manage("shell", "--no-imports", "-c", code)
        assert made.returncode == 0, made.stderr
        yield server


def post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Send a form as its page has it."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(path).text)
    assert token
    return client.post(path, data={"csrfmiddlewaretoken": token[1], **fields})


@contextmanager
def logged_in(server: Server, name: str, password: str = PASSWORD) -> Iterator[httpx.Client]:
    with server.client() as client:
        answer = post(client, "/account/login/", login=f"{name}@example.com", password=password)
        assert answer.status_code == 302
        yield client


def repeat_beside(server: Server, name: str, act: Callable[[], object]) -> list[int]:
    """Save the name by six threads of one session until the act is answered, and once more; return the statuses."""
    is_over = threading.Event()
    statuses: list[int] = []
    with logged_in(server, name) as thief:
        page = thief.get("/account/").text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "name": "Thief"}

        def save_name() -> None:
            with server.client() as client:
                client.cookies = thief.cookies
                is_last = False
                while not is_last:
                    is_last = is_over.is_set()
                    statuses.append(client.post("/account/", data=form).status_code)

        with ThreadPoolExecutor(THREADS) as threads:
            saving = [threads.submit(save_name) for _ in range(THREADS)]
            try:
                act()
            finally:
                is_over.set()
            for thread in saving:
                thread.result()
    return statuses


def test_a_new_password_stays(server: Server) -> None:
    with logged_in(server, "password") as owner:
        passwords = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

        statuses = repeat_beside(server, "password", lambda: post(owner, "/account/password/change/", **passwords))

    assert all(status < 500 for status in statuses)
    with logged_in(server, "password", NEW_PASSWORD), server.client() as other:
        refused = post(other, "/account/login/", login="password@example.com", password=PASSWORD)
    assert refused.status_code == 200


def test_a_deactivated_account_stays_so(server: Server) -> None:
    def deactivate() -> None:
        with server.database() as database:
            database.execute("UPDATE accounts_user SET is_active = false WHERE email = 'deactivated@example.com'")

    statuses = repeat_beside(server, "deactivated", deactivate)

    assert all(status < 500 for status in statuses)
    assert server.rows("SELECT is_active FROM accounts_user WHERE email = 'deactivated@example.com'") in [
        [(0,)],
        [(False,)],
    ]


def test_a_deleted_account_stays_deleted(server: Server) -> None:
    with logged_in(server, "deleted") as owner:

        def delete() -> None:
            answer = post(owner, "/account/delete/", email="deleted@example.com")
            assert answer.status_code == 302

        statuses = repeat_beside(server, "deleted", delete)

    assert all(status < 500 for status in statuses)
    assert server.rows("SELECT 1 FROM accounts_user WHERE email = 'deleted@example.com'") == []
