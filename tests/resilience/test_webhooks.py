"""Two workers send webhooks, and one of them dies in the middle."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests import postgresql
from tests.developers.outbound.servers import LocalServer, Peer, response
from tests.server import Server, poll

pytestmark = [pytest.mark.resilience, pytest.mark.release, pytest.mark.xdist_group("webhooks")]

CONTACTS = 25
# Four accounts, so that two workers have something to do at the same time.
PREPARE = """
from accounts.models import User
from accounts.web.clients import Client
from botpenguin.platform import imports
from botpenguin.platform.contacts import Details
from botpenguin.platform.models import Bot
from developers import issuance
from developers.outbound.subscriptions import subscribing

for number in range(4):
    user = User.objects.create_user(f"{{number}}@example.com")
    issuance.issue(user, Client("127.0.0.1", "tests"))
    bot = Bot.objects.create(owner=user, name="Reception", platform="whatsapp")
    webhook = subscribing.Webhook(bot.pk, "newLeadHook", f"{url}/{{number}}")
    subscribing.subscribe(user.pk, 1, webhook, Client("127.0.0.1", "tests"))
    rows = {{row: Details(name=f"{{number}} {{row}}") for row in range({contacts})}}
    imports.import_all(user.pk, rows, bot, {{}})
"""
LEASES_END = """
from django.utils import timezone
from developers.outbound.subscriptions.models import Subscription
Subscription.objects.update(leased_until=timezone.now())
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server that is not started: only its state and its workers matter."""
    with ExitStack() as stack:
        where = {"OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8"}
        if request.param == "postgresql":
            running = stack.enter_context(postgresql.server())
            name = postgresql.prepared_database(running)
            where["DATABASE_URL"] = running.url.removesuffix("postgres") + name
        node = Server(tmp_path, **where)
        node.prepare()
        yield node


class Target:
    """Counts what arrives, by the names of contacts and by ids. At the n-th request it calls `on_nth`."""

    def __init__(self, nth: int = 0) -> None:
        self.names, self.ids = Counter[str](), Counter[str]()
        self.nth, self.workers = nth, list[Popen[Any]]()
        self._lock = threading.Lock()

    def __call__(self, peer: Peer) -> None:
        head, _, body = peer.read_request().partition(b"\r\n\r\n")
        with self._lock:
            self.names[json.loads(body)["data"]["profile"]["userDetails"]["name"]] += 1
            self.ids[next(line for line in head.decode().split("\r\n") if line.startswith("webhook-id: "))] += 1
            if self.nth and self.names.total() == self.nth:
                self.workers[0].kill()
                return
        peer.send(response(b"{}"))


def worker(node: Server, stack: ExitStack) -> Popen[Any]:
    process: Popen[Any] = node.manage_in_background("mail_worker")

    def end() -> None:
        process.kill()
        process.communicate()

    stack.callback(end)
    return process


def prepare(node: Server, url: str) -> None:
    made = node.manage("shell", "-c", PREPARE.format(url=url, contacts=CONTACTS))
    assert made.returncode == 0, made.stderr


def expected() -> set[str]:
    return {f"{number} {row}" for number in range(4) for row in range(CONTACTS)}


def test_two_workers_send_each_contact_once(node: Server) -> None:
    target = Target()
    with ExitStack() as stack:
        server = stack.enter_context(LocalServer(target))
        prepare(node, server.url)
        for _ in range(2):
            worker(node, stack)

        poll(lambda: len(target.names) == 4 * CONTACTS)
        poll(lambda: node.rows("SELECT count(*) FROM outbound_delivery") == [(0,)])

    assert set(target.names) == expected()
    assert set(target.names.values()) == {1}


def test_after_a_kill_nothing_is_lost_and_what_is_sent_again_has_the_same_id(node: Server) -> None:
    target = Target(nth=30)
    with ExitStack() as stack:
        server = stack.enter_context(LocalServer(target))
        prepare(node, server.url)
        target.workers.append(worker(node, stack))
        poll(lambda: target.workers[0].poll() is not None)
        # As after half a minute.
        node.manage("shell", "-c", LEASES_END)
        worker(node, stack)

        poll(lambda: len(target.names) == 4 * CONTACTS)
        poll(lambda: node.rows("SELECT count(*) FROM outbound_delivery") == [(0,)])

    assert set(target.names) == expected()
    # Of each account one was under way.
    assert 1 <= sum(count - 1 for count in target.names.values()) <= 4
    assert len(target.ids) == 4 * CONTACTS
