"""Log-ins and sign-ups from dozens of addresses neither fill a server's memory nor hold up its owner and the API."""

import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cast import PASSWORD
from tests.resilience.load import Person, Program, csrf_token, make_people, opened
from tests.server import TRUSTS_NOBODY, Server

pytestmark = [pytest.mark.resilience, pytest.mark.server, pytest.mark.release]

LOG_IN, SIGN_UP = "/account/login/", "/account/signup/"
ADDRESSES = [f"198.51.100.{number}" for number in range(1, 33)]
WRONG, LONG, TOO_LONG = "guessed wrong", "x" * 40_000, "x" * 400_000
MIB = 1024 * 1024
# Two hashes of version 0.1.0's kind, beside what a process holds anyway.
MOST_MEMORY = 400 * MIB
AN_OLDER_HASH = f"""
from django.contrib.auth.hashers import Argon2PasswordHasher
from accounts.models import User

older = Argon2PasswordHasher()
hashed = older.encode({PASSWORD!r}, older.salt())
User.objects.filter(email="person1@example.com").update(password=hashed)
"""


class Crowd:
    """Unknown browsers at different addresses, which send a form that each has opened once."""

    def __init__(self, server: Server, page: str) -> None:
        self.page = page
        self.client = httpx.Client(base_url=server.url, trust_env=False, timeout=60, verify=TRUSTS_NOBODY)
        opened.append(self.client.close)
        self.token = csrf_token(self.client.get(page))

    def send(self, address: str, fields: dict[str, str]) -> httpx.Response:
        headers = {"X-Forwarded-For": address}
        return self.client.post(self.page, data=fields | {"csrfmiddlewaretoken": self.token}, headers=headers)

    def log_in(self, address: str, password: str, email: str = "person1@example.com") -> httpx.Response:
        return self.send(address, {"login": email, "password": password})


def peak_memory(server: Server) -> int:
    """Return the most bytes that a process of the server has held at any time."""
    status = [Path(f"/proc/{pid}/status").read_text() for pid in server.workers]
    return max(int(re.findall(r"VmHWM:\s+(\d+) kB", text)[0]) for text in status) * 1024


def is_designed(answer: httpx.Response) -> bool:
    """Return whether a response is the form again, a redirect, or a page that says how long to wait."""
    if answer.status_code in (429, 503):
        return "Retry-After" in answer.headers and '<h1 class="page-title">' in answer.text
    return answer.status_code in (200, 302)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"WORKERS": "1", "THREADS": "8", "API_RATE_LIMIT": "0", "MAIL_WORKER": "off", "SIGN_UP_LIMIT": "1000"}
    with Server(tmp_path_factory.mktemp("crowd"), TRUSTED_PROXIES="127.0.0.1", **settings) as running:
        make_people(running, 2)
        made = running.manage("shell", "--command", AN_OLDER_HASH)
        assert made.returncode == 0, made.stderr
        yield running


@contextmanager
def hammering(crowd: Crowd) -> Iterator[list[httpx.Response]]:
    """Have 16 threads try passwords from 32 addresses in turn, until the block ends."""
    is_over, answers = threading.Event(), list[httpx.Response]()

    def hammer(number: int) -> None:
        while not is_over.is_set():
            for address in ADDRESSES[number::16]:
                answers.append(crowd.log_in(address, WRONG, f"{len(answers)}@example.com"))

    with ThreadPoolExecutor(16) as pool:
        hammers = [pool.submit(hammer, number) for number in range(16)]
        try:
            yield answers
        finally:
            is_over.set()
    for hammer_ in hammers:
        hammer_.result()


def test_long_passwords_and_dozens_at_once_take_no_more_than_two_hashes(server: Server) -> None:
    crowd = Crowd(server, LOG_IN)
    too_long, long, short = (list[httpx.Response]() for _kind in range(3))
    print(f"The process begins with {peak_memory(server) / MIB:.0f} MiB")

    with ThreadPoolExecutor(32) as pool:
        for _wave in range(3):
            too_long += pool.map(lambda address: crowd.log_in(address, TOO_LONG), ADDRESSES)
            long += pool.map(lambda address: crowd.log_in(address, LONG), ADDRESSES)
            short += pool.map(lambda address: crowd.log_in(address, WRONG), ADDRESSES)

    statuses, memory = Counter(answer.status_code for answer in short), peak_memory(server)
    print(f"96 wrong passwords: {dict(statuses)}; the process took {memory / MIB:.0f} MiB at most")
    # The first is longer than a form may be, the second longer than a password may be.
    assert {answer.status_code for answer in too_long} == {413}
    assert {answer.status_code for answer in long} <= {200, 429}
    assert all(
        "A password has at most 1,024 characters." in answer.text for answer in long if answer.status_code == 200
    )
    assert all(map(is_designed, short))
    assert statuses[503] > 0
    assert memory < MOST_MEMORY


def test_an_owner_logs_in_where_they_have_before_while_unknown_browsers_try_passwords(server: Server) -> None:
    owner = Person(server.url, 0, headers={"X-Forwarded-For": "203.0.113.9"})
    known = {name: value for name, value in owner.client.cookies.items() if name == "known"}
    crowd, statuses = Crowd(server, LOG_IN), list[int]()

    with hammering(crowd) as answers:
        for _time in range(10):
            with httpx.Client(base_url=server.url, cookies=known, trust_env=False, timeout=60) as browser:
                form = {"login": "person0@example.com", "password": PASSWORD}
                form["csrfmiddlewaretoken"] = csrf_token(browser.get(LOG_IN))
                statuses.append(browser.post(LOG_IN, data=form).status_code)

    print(f"Meanwhile unknown browsers were answered {dict(Counter(answer.status_code for answer in answers))}")
    assert statuses == [302] * 10
    assert all(map(is_designed, answers))


def test_the_api_goes_on_while_eight_threads_sign_up(server: Server) -> None:
    token = Person(server.url, 0, headers={"X-Forwarded-For": "203.0.113.10"}).copy()
    program, crowd = Program(server.port), Crowd(server, SIGN_UP)
    before = [program.send(token) for _time in range(50)]

    def sign_up(number: int) -> int:
        fields = {"email": f"new{number}@example.com", "password1": "another good passphrase"}
        return crowd.send(ADDRESSES[number % 32], fields).status_code

    meanwhile = []
    with ThreadPoolExecutor(8) as pool:
        signing_up = [pool.submit(sign_up, number) for number in range(40)]
        while not all(one.done() for one in signing_up):
            meanwhile.append(program.send(token))
            time.sleep(0.002)

    for what, calls in (("before", before), ("meanwhile", meanwhile)):
        taken = sorted(1000 * (call.ended_at - call.began_at) for call in calls)
        print(f"API {what}: {len(taken)} calls, median {statistics.median(taken):.0f} ms, slowest {taken[-1]:.0f} ms")
    statuses = Counter(one.result() for one in signing_up)
    print(f"40 sign-ups were answered {dict(statuses)}")
    assert {call.status for call in before + meanwhile} == {200}
    assert set(statuses) <= {302, 503}
