"""Connections to servers of others, below HTTP."""

import socket
import struct

import httpcore
import pytest

from developers.outbound.transport import network

RESET = struct.pack("ii", 1, 0)


def test_a_connection_that_the_server_resets_is_not_written_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stream = network._Stream(
            httpcore.SyncBackend().connect_tcp(*listening.getsockname()[:2]), network.Deadline(seconds=60)
        )
        accepted, _ = listening.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        accepted.close()

        with pytest.raises(httpcore.WriteError):
            stream.write(b"GET / HTTP/1.1\r\n")

        stream.close()


class NearlyPassed(network.Deadline):
    """A deadline that stays near, however slow the machine is."""

    left = 0.05


def test_a_write_that_the_server_does_not_read_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stream = network._Stream(
            httpcore.SyncBackend().connect_tcp(*listening.getsockname()[:2]), NearlyPassed(seconds=60)
        )
        accepted, _ = listening.accept()

        with accepted, pytest.raises(httpcore.WriteTimeout):
            # More than the buffers of both sockets hold.
            stream.write(bytes(64 * 1024 * 1024))

        stream.close()
