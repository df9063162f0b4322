"""Connections to servers of others, below HTTP."""

import socket
import struct

import httpcore
import pytest

from developers.outbound.transport import network
from developers.outbound.transport.deadlines import Deadline

RESET = struct.pack("ii", 1, 0)


def test_a_connection_that_the_server_resets_is_not_written_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        deadline = Deadline(seconds=60)
        stream = network._Stream(network.connect("127.0.0.1", listening.getsockname()[1], deadline), deadline)
        accepted, _ = listening.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        accepted.close()

        with pytest.raises(httpcore.WriteError):
            stream.write(b"GET / HTTP/1.1\r\n")

        stream.close()


def test_a_write_that_the_server_does_not_read_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stream = network._Stream(
            network.connect("127.0.0.1", listening.getsockname()[1], Deadline(60)), Deadline(seconds=0.05)
        )
        accepted, _ = listening.accept()

        with accepted, pytest.raises(httpcore.WriteTimeout):
            # More than the buffers of both sockets hold.
            stream.write(bytes(64 * 1024 * 1024))

        stream.close()


def test_no_time_is_left_once_a_deadline_has_passed() -> None:
    with pytest.raises(httpcore.ReadTimeout):
        _ = Deadline(seconds=0).left
