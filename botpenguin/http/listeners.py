"""Let a process that will stop accept no more connections, while those that it has go on (Linux).

Closing a socket that listens breaks off connections which wait to be accepted, and a proxy may repeat no POST on them.
"""

import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

# From asm-generic/socket.h.
SO_ATTACH_FILTER = 26
# Drop segments with the flag SYN, in the 14th byte of the header, and keep all others (linux/filter.h, RFC 9293).
PROGRAM = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in [(0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF)]
)


def close(port: int) -> None:
    """Ignore new connections to this port of the process. Their clients try again, and then find it closed."""
    instructions = ctypes.create_string_buffer(PROGRAM, len(PROGRAM))
    program = struct.pack("HP", len(PROGRAM) // 8, ctypes.addressof(instructions))
    with suppress(OSError):  # another system
        for listener in _listeners(port):
            listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def _listeners(port: int) -> Iterator[socket.socket]:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as found:
            if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) and found.getsockname()[1] == port:
                yield found
