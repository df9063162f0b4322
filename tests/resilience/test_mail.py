"""Two mail workers run, and one of them dies."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import postgresql
from tests.mail_server import MailServer
from tests.server import Server, poll

pytestmark = [pytest.mark.resilience, pytest.mark.release, pytest.mark.xdist_group("mail")]

LETTERS = 30
SEND = """
from django.core.mail import send_mail

for number in range({letters}):
    send_mail(f"{what} {{number}}", "Hello", None, ["alice@example.com"])
"""


class Worker:
    """A mail worker, and the mail server that it alone delivers to; it dies while its n-th letter is taken."""

    def __init__(self, node: Server, stack: ExitStack) -> None:
        self.dies_at = 0
        self.server = stack.enter_context(MailServer(on_taken=self.note))
        self.process = node.manage_in_background("mail_worker", EMAIL_URL=f"smtp://127.0.0.1:{self.server.port}")
        stack.callback(self.end)

    def note(self) -> None:
        if self.dies_at and len(self.server.letters) >= self.dies_at:
            self.process.kill()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()

    @property
    def is_dead(self) -> bool:
        return self.process.poll() is not None

    def sent(self, what: str) -> Counter[str]:
        """How often each letter was taken, by its Message-ID."""
        letters = [letter for letter in self.server.letters if f"Subject: {what}" in letter]
        return Counter(re.findall(r"^Message-ID: (\S+)", letter, re.MULTILINE | re.IGNORECASE)[0] for letter in letters)


@pytest.fixture(params=["sqlite", "postgresql"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server that is not started: only its state and its mail workers matter."""
    with ExitStack() as stack:
        where = {}
        if request.param == "postgresql":
            running = stack.enter_context(postgresql.server())
            name = postgresql.prepared_database(running)
            where = {"DATABASE_URL": running.url.removesuffix("postgres") + name}
        server = Server(tmp_path, **where)
        server.prepare()
        yield server


@pytest.fixture
def workers(node: Server) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        yield [Worker(node, stack) for _ in range(2)]


def queue(node: Server, what: str) -> None:
    done = node.manage("shell", "--command", SEND.format(letters=LETTERS, what=what))
    assert done.returncode == 0, done.stderr


def count_unsent(node: Server) -> int:
    [[count]] = node.rows("SELECT count(*) FROM post_office_email WHERE status != 0")
    return int(count)


def test_two_workers_send_each_letter_once_and_one_sends_on_when_the_other_dies(
    node: Server, workers: list[Worker]
) -> None:
    queue(node, "First")
    poll(lambda: sum(worker.sent("First").total() for worker in workers) >= LETTERS)
    for worker in workers:
        worker.dies_at = len(worker.server.letters) + 3
    queue(node, "Second")
    dead = poll(lambda: next((worker for worker in workers if worker.is_dead), None))
    [alive] = [worker for worker in workers if worker is not dead]
    alive.dies_at = 0
    poll(lambda: count_unsent(node) == 0)

    first = workers[0].sent("First") + workers[1].sent("First")
    second = dead.sent("Second"), alive.sent("Second")
    assert (len(first), set(first.values())) == (LETTERS, {1})
    # A mail that the dead worker delivered and did not record is sent again, with the same Message-ID.
    assert len(second[0] | second[1]) == LETTERS
    assert [set(sent.values()) for sent in second] == [{1}, {1}]
