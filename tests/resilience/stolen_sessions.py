"""Logging in on a real server, and repeating a form in a session that somebody else has."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import ADD, options_on
from tests.cast import PASSWORD
from tests.server import Server, poll

LOG_IN_PAGE, SECURITY = "/account/login/", "/account/security/"
NEW_PASSWORD = "another good passphrase"
THREADS = 6
MAKE_PEOPLE = """
from accounts.models import User
for name in {names}:
    User.objects.create_user(name + "@example.com", "{password}")
"""


def make_people(server: Server, names: list[str]) -> None:
    made = server.manage("shell", "--no-imports", "-c", MAKE_PEOPLE.format(names=names, password=PASSWORD))
    assert made.returncode == 0, made.stderr


def send(client: httpx.Client, page: httpx.Response, path: str, **fields: str) -> httpx.Response:
    """Send a form with the CSRF token of its page."""
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


@contextmanager
def by_six_threads(action: Callable[[], list[int]]) -> Iterator[list[int]]:
    """Repeat an action until the block ends, and do it one last time; yield the statuses of the responses."""
    is_over = threading.Event()
    statuses: list[int] = []

    def repeat() -> None:
        is_last = False
        while not is_last:
            is_last = is_over.is_set()
            statuses.extend(action())

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
    """Have six threads send one form in one session until the block ends."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', session.get(path).text)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "name": "Thief", **fields}

    def save() -> list[int]:
        with server.client() as client:
            client.cookies = session.cookies
            return [client.post(path, data=form).status_code]

    with by_six_threads(save) as statuses:
        yield statuses


def add_passkey(server: Server, owner: httpx.Client) -> SecurityKey:
    key = SecurityKey(origin=server.url)
    page = owner.get(ADD)
    answer = send(owner, page, ADD, credential=key.create(options_on(page)), name="Laptop")
    assert answer.status_code == 302
    return key


def errors(statuses: Iterable[int]) -> list[int]:
    return [status for status in statuses if status >= 500]
