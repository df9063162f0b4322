"""Let a process that will stop accept no more connections, while those that it has go on (Linux).

Closing a socket that listens breaks off connections which wait to be accepted, and a proxy may repeat no POST on them.
"""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress

# The fewest hops that a segment may have left (ip(7), RFC 5082). Clients begin with 64 or 128, so none has 255.
LEAST_HOPS = {socket.AF_INET: (socket.IPPROTO_IP, 21), socket.AF_INET6: (socket.IPPROTO_IPV6, 73)}
MORE_THAN_CLIENTS_SEND = 255


def close(port: int) -> None:
    """Ignore new connections to this port of the process. Their clients try again, and then find it closed."""
    with suppress(OSError):  # another system
        for listener in _listeners(port):
            listener.setsockopt(*LEAST_HOPS[listener.family], MORE_THAN_CLIENTS_SEND)


def _listeners(port: int) -> Iterator[socket.socket]:
    for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 - these are numbers
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as found:
                    is_listening = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                    if is_listening and found.family in LEAST_HOPS and found.getsockname()[1] == port:
                        yield found
