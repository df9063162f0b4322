"""People at the page and programs at the API, many at once, with every request timed by one monotonic clock."""

import http.client
import random
import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from developers import tokens
from tests.cast import PASSWORD
from tests.server import Found, Server

TOKEN_PAGE = "/developers/api-access-token/"
PATH = "/api/v7/token"
LOST = 0
# Closes each open connection after a test.
opened: list[Callable[[], None]] = []
PEOPLE = """
from accounts.web.clients import Client
from accounts.models import User
from developers import issuance

for number in range({count}):
    user = User.objects.create_user(f"person{{number}}@example.com", {password!r})
    issuance.issue(user, Client("127.0.0.1", "tests"))
"""


def make_people(server: Server, count: int) -> None:
    made = server.manage("shell", "--command", PEOPLE.format(count=count, password=PASSWORD))
    assert made.returncode == 0, made.stderr


class Person:
    """A logged-in person who sends the forms of the page, with their CSRF tokens."""

    def __init__(self, url: str, number: int = 0, **options: Any) -> None:
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=30, **options)
        opened.append(self.client.close)
        page = self.client.get("/account/login/")
        form = {"login": f"person{number}@example.com", "password": PASSWORD}
        entered = self.client.post("/account/login/", data=form | {"csrfmiddlewaretoken": csrf_token(page)})
        assert entered.status_code == 302, entered.text
        assert entered.headers["Location"] == "/", entered.headers

    def page(self) -> httpx.Response:
        return self.client.get(TOKEN_PAGE)

    def copy(self, page: httpx.Response | None = None) -> str:
        answer = self.press("copy", page or self.page())
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["token"]
        return token

    def revoke(self, page: httpx.Response | None = None) -> httpx.Response:
        """Press Revoke on the page, and confirm."""
        page = page or self.page()
        generation = re.search(r'name="generation" value="(\d+)"', page.text)
        assert generation, page.text
        return self.press("revoke", page, generation=generation[1], even_if_used="on")

    def press(self, action: str, page: httpx.Response, **fields: str) -> httpx.Response:
        """Send the form of an action, as the page's script does."""
        return self.client.post(
            f"{TOKEN_PAGE}{action}/",
            data=fields | {"csrfmiddlewaretoken": csrf_token(page)},
            headers={"Accept": "application/json"},
        )


def csrf_token(page: httpx.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert found, page.text
    return found[1]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its token, when it was sent and answered, and the status (0: no response)."""

    token: str
    began_at: float
    ended_at: float
    status: int


class Life:
    """A token, when it was copied, and when its revoke was sent and answered."""

    def __init__(self, token: str, copied_at: float) -> None:
        self.token, self.copied_at = token, copied_at
        self.revoke_sent_at = self.revoked_at = float("inf")

    def is_violated_by(self, call: Call) -> bool:
        if call.began_at > self.revoked_at:
            return call.status != 401
        must_be_good = call.began_at > self.copied_at and call.ended_at < self.revoke_sent_at
        return must_be_good and call.status != 200

    def overlaps(self, call: Call) -> bool:
        """Return whether the revoke was under way during a part of the call."""
        return call.began_at < self.revoked_at and call.ended_at > self.revoke_sent_at


class Named(http.client.HTTPSConnection):
    """A connection to a loopback address that names a host, as TLS requires."""

    def __init__(self, name: str, address: str, port: int, tls: ssl.SSLContext, source: tuple[str, int]) -> None:
        super().__init__(address, port, context=tls, timeout=30)
        self.name, self.tls, self.source = name, tls, source

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout, self.source)
        self.sock = self.tls.wrap_socket(plain, server_hostname=self.name)


class Program:
    """A program that calls the API by one connection that it keeps."""

    def __init__(
        self, port: int, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None, host: str = ""
    ) -> None:
        self.port, self.address, self.tls, self.host = port, address, tls, host
        self.connection = self._connect()
        opened.append(self.close)

    def close(self) -> None:
        self.connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        where, source = ("127.0.0.1", self.port), (self.address, 0)
        if self.tls:
            return Named(self.host, *where, self.tls, source)
        return http.client.HTTPConnection(*where, timeout=30, source_address=source)

    def note(self, answer: http.client.HTTPResponse, body: str) -> None:
        """For programs that look at more than the status."""

    def send(self, token: str, method: str = "GET", path: str = PATH) -> Call:
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "tests"} | (
            {"Host": self.host} if self.host else {}
        )
        began_at, status = time.monotonic(), LOST
        try:
            self.connection.request(method, path, headers=headers)
            answer = self.connection.getresponse()
            self.note(answer, answer.read().decode())
            status = answer.status
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = self._connect()
        return Call(token, began_at, time.monotonic(), status)


class Hammer:
    """Programs that call until the block ends, each with the token that `choose` names.

    Between two calls each waits for `pause` seconds: calls without a pause would leave other work no processor time.
    """

    def __init__(self, programs: list[Program], choose: Callable[[random.Random], str], pause: float = 0) -> None:
        self.programs, self.choose, self.pause = programs, choose, pause
        self.calls: list[Call] = []
        self._counts: Counter[int] = Counter()
        self._is_over = threading.Event()

    @contextmanager
    def running(self) -> Iterator["Hammer"]:
        threads = [threading.Thread(target=self._hammer, args=(program,)) for program in self.programs]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._is_over.set()
            for thread in threads:
                thread.join()

    def _hammer(self, program: Program) -> None:
        chance = random.Random(program.address)  # noqa: S311 - which token comes next is no secret
        while not self._is_over.wait(self.pause):
            self.calls.append(program.send(self.choose(chance)))

    def count(self, status: int) -> int:
        """Count the calls with this status. It is asked often, so it counts each call once."""
        fresh = self.calls[self._counts.total() :]
        self._counts.update(call.status for call in fresh)
        return self._counts[status]

    @property
    def statuses(self) -> set[int]:
        return {call.status for call in self.calls}


def unknown() -> str:
    """A well-formed token that nobody has."""
    return tokens.generate().open()


def survived(ask: Callable[[], Found]) -> Found | None:
    """Return the response, or None where the process that would send it dies."""
    try:
        return ask()
    except httpx.TransportError:
        return None
