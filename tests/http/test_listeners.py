"""A process that will stop accepts no more connections, and breaks off none."""

import os
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_django.fixtures import Settings

from botpenguin.http import listeners
from botpenguin.http.drain import Drain


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def leaving(listener: socket.socket, settings: Settings) -> Iterator[Drain]:
    """A drain of a node at the listener's port."""
    settings.PORT, settings.DRAIN_SECONDS = port_of(listener), 5
    drain = Drain()
    drain.announce()
    yield drain
    drain.withdraw()


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def connects(port: int) -> bool:
    """On the loopback a connection is there at once, or not before the client repeats itself after a second."""
    with socket.socket() as client:
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))
        return bool(select.select([], [client], [], 0.02)[1])


def announced(drain: Drain, seconds_ago: float) -> None:
    moment = drain.path.stat().st_mtime - seconds_ago
    os.utime(drain.path, (moment, moment))


def test_a_closed_port_takes_no_connection_and_keeps_those_that_it_has(listener: socket.socket) -> None:
    with ExitStack() as stack:
        client, waiting = (stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(2))
        served = stack.enter_context(listener.accept()[0])

        listeners.close(port_of(listener))

        assert not connects(port_of(listener))
        client.sendall(b"one")
        assert served.recv(9) == b"one"
        accepted = stack.enter_context(listener.accept()[0])
        waiting.sendall(b"two")
        assert accepted.recv(9) == b"two"


def test_other_ports_stay_open(listener: socket.socket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listeners.close(port_of(listener))

        assert connects(port_of(other))


@pytest.mark.parametrize(("drain", "is_open"), [((5, 3), True), ((5, 4.5), False), ((1, 0.2), True), ((1, 0.7), False)])
def test_a_drain_closes_the_port_in_its_last_second_or_half(
    listener: socket.socket, leaving: Drain, settings: Settings, drain: tuple[int, float], is_open: bool
) -> None:
    settings.DRAIN_SECONDS, seconds_ago = drain
    announced(leaving, seconds_ago)

    leaving.close_at_the_end()
    leaving.close_at_the_end()

    assert connects(port_of(listener)) == is_open


def test_a_drain_that_is_withdrawn_closes_nothing(listener: socket.socket, leaving: Drain) -> None:
    leaving.withdraw()

    leaving.close_at_the_end()

    assert connects(port_of(listener))
