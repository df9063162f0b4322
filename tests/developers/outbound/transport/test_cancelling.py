"""Whoever sends a test can end it at once, wherever it waits; nothing ends another call."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound import running
from developers.outbound.models import ApiLog
from developers.outbound.recipe import Recipe
from developers.outbound.transport import cancelling
from developers.outbound.transport.cancelling import Cancellation, cancel, cancellable
from developers.outbound.transport.deadlines import Deadline
from developers.outbound.transport.heads import HeadReader
from developers.outbound.transport.network import HEAD, connect
from developers.outbound.transport.reading import read
from developers.outbound.transport.responses import OutboundResponse
from developers.outbound.transport.sending import send
from tests.cast import LAPTOP, logged_in
from tests.developers.outbound.servers import LocalServer, Peer, response, serving
from tests.developers.outbound.views.pages import PAGE

ALICE, BOB = 1, 2
TEST, OTHER = "a" * 32, "b" * 32
MAYBE_SENT, NOT_SENT = "The server may have got the request.", "before the request was sent."


@pytest.fixture
def shared_cache(settings: Settings, loopback: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that the threads of a test share without a database, and all the time that a call needs."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "cancel"}}
    settings.OUTBOUND_SECONDS = 60
    cache.clear()
    monkeypatch.setattr(cancelling, "SECONDS_BETWEEN_LOOKS", 0.02)


def wait_for_response(peer: Peer) -> None:
    peer.read_request()


def begin_head(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nX-")


def redirect_to_itself(peer: Peer) -> None:
    if b"GET / " in peer.read_request():
        peer.send(response(b"", "Location: /next", status="307 Again"))
        raise ConnectionError


def begin_handshake(peer: Peer) -> None:
    peer.connection.recv(65536)


def cancelled(
    behave: Callable[[Peer], None], cancellation: Cancellation, *, scheme: str = "http"
) -> tuple[OutboundResponse, bool]:
    """Send a call that is cancelled as soon as its server has behaved; return whether the connection ended too."""
    has_ended = Event()

    def cancel_and_wait(peer: Peer) -> None:
        behave(peer)
        cancel(ALICE, TEST)
        # What was sent and not read resets the connection.
        with suppress(ConnectionError):
            peer.wait_until_gone()
        has_ended.set()

    with LocalServer(cancel_and_wait) as server:
        recipe = Recipe("GET", server.url.replace("http:", f"{scheme}:"), follows_redirects=True)
        received = send(recipe, owner=ALICE, cancellation=cancellation)
        return received, has_ended.wait(60)


@pytest.mark.usefixtures("shared_cache")
@pytest.mark.parametrize("behave", [wait_for_response, begin_head, redirect_to_itself])
@pytest.mark.parametrize("is_here", [True, False], ids=["in this process", "in another process"])
def test_a_test_ends_wherever_it_waits(
    behave: Callable[[Peer], None], is_here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_here:
        # It is woken up: it would look too late.
        monkeypatch.setattr(cancelling, "SECONDS_BETWEEN_LOOKS", 60)
        with cancellable(ALICE, TEST) as cancellation:
            assert cancellation
            received, has_ended = cancelled(behave, cancellation)
    else:
        with Cancellation(ALICE, TEST) as cancellation:
            received, has_ended = cancelled(behave, cancellation)

    assert (received.problem or "").startswith("Cancelled after ")
    assert (received.problem or "").endswith(MAYBE_SENT)
    assert has_ended


def test_what_came_before_the_test_was_cancelled_is_shown() -> None:
    def stream() -> Iterator[bytes]:
        yield b"beginning"
        raise cancelling.Cancelled("Cancelled after 2.5 s.")

    head = HeadReader()
    head.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")

    received = read(httpx.Response(200, content=stream(), extensions={HEAD: head}))

    assert (received.status, received.body, received.problem) == (200, b"beginning", "Cancelled after 2.5 s.")
    assert not received.is_success


@pytest.mark.usefixtures("shared_cache")
def test_a_test_ends_in_the_middle_of_a_handshake() -> None:
    with cancellable(ALICE, TEST) as cancellation:
        assert cancellation
        received, has_ended = cancelled(begin_handshake, cancellation, scheme="https")

    assert ((received.problem or "").endswith(NOT_SENT), has_ended) == (True, True)


@pytest.mark.usefixtures("shared_cache")
def test_a_test_ends_within_a_stream_that_never_makes_it_wait() -> None:
    def stream(peer: Peer) -> None:
        peer.read_request()
        cancel(ALICE, TEST)
        while not peer.stopped.is_set():
            peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)

    with LocalServer(stream) as server, Cancellation(ALICE, TEST) as cancellation:
        received = send(Recipe("GET", server.url), owner=ALICE, cancellation=cancellation)

    assert (received.problem or "").endswith(MAYBE_SENT)


@pytest.mark.usefixtures("shared_cache")
@pytest.mark.parametrize("is_here", [True, False], ids=["in this process", "in another process"])
def test_a_test_ends_while_a_name_is_looked_up(is_here: bool) -> None:
    is_over = Event()

    def look_up(*_: Any, **options: Any) -> list[Any]:
        cancel(ALICE, TEST)
        is_over.wait(60)
        return []

    recipe = Recipe("GET", "http://slow.example.com")
    if is_here:
        with cancellable(ALICE, TEST) as cancellation:
            received = send(recipe, owner=ALICE, resolver=look_up, cancellation=cancellation)
    else:
        with Cancellation(ALICE, TEST) as cancellation:
            received = send(recipe, owner=ALICE, resolver=look_up, cancellation=cancellation)
    is_over.set()

    assert (received.problem or "").endswith(NOT_SENT)


@pytest.mark.usefixtures("shared_cache")
def test_a_test_ends_while_nobody_accepts_its_connection() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        socket.create_connection(full.getsockname()),
        cancellable(ALICE, TEST) as cancellation,
    ):
        assert cancellation
        cancellation.check()
        cancellation.wake()
        cancellation.wake()
        with pytest.raises(cancelling.Cancelled, match=NOT_SENT):
            connect("127.0.0.1", full.getsockname()[1], Deadline(60, cancellation))


@pytest.mark.usefixtures("shared_cache")
@pytest.mark.parametrize(
    ("owner", "test_id"),
    [(ALICE, OTHER), (BOB, TEST), (ALICE, ""), (ALICE, TEST.upper()), (ALICE, f"{TEST}a"), (ALICE, f"{TEST}\n")],
)
def test_nothing_else_ends_a_test(owner: int, test_id: str) -> None:
    with serving(response(b'"here"')) as server, cancellable(ALICE, TEST) as cancellation:
        cancel(owner, test_id)
        received = send(Recipe("GET", server.url), owner=ALICE, cancellation=cancellation)

    assert (received.problem, received.data) == (None, "here")


@pytest.mark.usefixtures("shared_cache")
def test_a_cancel_that_comes_late_ends_nothing_that_comes_next() -> None:
    with cancellable(ALICE, TEST):
        pass
    cancel(ALICE, TEST)

    with serving(response(b'"here"')) as server, cancellable(ALICE, OTHER) as cancellation:
        received = send(Recipe("GET", server.url), owner=ALICE, cancellation=cancellation)

    assert (received.problem, received.data) == (None, "here")


@pytest.mark.matrix
@pytest.mark.usefixtures("loopback")
def test_a_test_that_was_cancelled_before_it_began_is_not_sent_and_logged(alice: User, bob: User) -> None:
    logged_in(alice).post(f"{PAGE}cancel/", {"test_id": TEST})
    with serving(response(b"{}")) as server:
        recipe = Recipe("GET", server.url)
        ended = running.try_out(alice, "Weather", recipe, {}, client=LAPTOP, test_id=TEST)
        others = [
            running.try_out(bob, "Weather", recipe, {}, client=LAPTOP, test_id=TEST),
            running.try_out(alice, "Weather", recipe, {}, client=LAPTOP, test_id=OTHER),
            running.try_out(alice, "Weather", recipe, {}, client=LAPTOP),
        ]

    assert (ended.response.problem or "").endswith(NOT_SENT)
    assert [other.response.status for other in others] == [200, 200, 200]
    assert server.connections == 3
    assert ApiLog.objects.owned_by(alice).get(status=None).problem == ended.response.problem


@pytest.mark.matrix
@pytest.mark.usefixtures("shared_cache")
def test_a_cancelled_test_frees_its_slot_and_its_log_says_what_happened(alice: User) -> None:
    def cancel_and_wait(peer: Peer) -> None:
        peer.read_request()
        if b"GET /slow" in peer.request:
            cancel(alice.pk, TEST)
            peer.wait_until_gone()
        peer.send(response(b"{}"))

    with LocalServer(cancel_and_wait) as server:
        running.try_out(alice, "Slow", Recipe("GET", f"{server.url}/slow"), {}, client=LAPTOP, test_id=TEST)
        after = running.try_out(alice, "Next", Recipe("GET", server.url), {}, client=LAPTOP, test_id=OTHER)

    log = ApiLog.objects.get(api_name="Slow")
    assert (log.problem.startswith("Cancelled after "), log.problem.endswith(MAYBE_SENT)) == (True, True)
    assert after.response.status == 200


@pytest.mark.usefixtures("shared_cache")
def test_a_call_of_a_flow_does_not_look_whether_anybody_cancels_it(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    class Watched(Deadline):
        def _until(self, ends_at: float) -> float:
            waits.append(super()._until(ends_at))
            return waits[-1]

    monkeypatch.setattr("developers.outbound.transport.sending.Deadline", Watched)
    cancel(ALICE, TEST)
    with serving(response(b"{}")) as server:
        received = send(Recipe("GET", server.url), owner=ALICE)

    assert received.status == 200
    assert min(waits) > cancelling.SECONDS_BETWEEN_LOOKS
