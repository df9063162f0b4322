"""Namespaces for containers: all mounts, networks and processes in them end with the tests, whatever ends those."""

import ctypes
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.processes import command_line, descendants
from tests.server import poll

CLONE_NEWNET = 0x40000000
# Podman keeps locks, networks and states in these two folders. The file of name servers may be there too.
PREPARE = """\
set -eu
file=$(readlink -f /etc/resolv.conf)
servers=$(cat "$file")
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
mkdir -p /run/lock "$(dirname "$file")"
[ -e "$file" ] || printf '%s\\n' "$servers" > "$file"
ip link set lo up
exec catatonit -P
"""
UNSHARED = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")


class Sandbox:
    def __enter__(self) -> Self:
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", *UNSHARED, "sh", "-c", PREPARE]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.pid = poll(self._prepared)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()

    def _prepared(self) -> int:
        assert self.process.poll() is None, "the namespaces could not be prepared"
        found = [pid for pid in descendants(self.process.pid) if command_line(pid).startswith(b"catatonit\0")]
        return found[0] if found else 0

    def command(self, folder: Path, *command: str | Path, is_online: bool = False) -> list[str]:
        """Return what runs a command in here; `is_online`: in the machine's network, to fetch packages."""
        spaces = ["--mount", "--pid", *([] if is_online else ["--net"])]
        return ["nsenter", "--target", str(self.pid), *spaces, f"--wdns={folder}", *map(str, command)]

    @contextmanager
    def network(self) -> Iterator[None]:
        """Let this thread, and those that it starts, connect from in here."""
        with Path("/proc/thread-self/ns/net").open() as own, Path(f"/proc/{self.pid}/ns/net").open() as inner:
            _enter(inner.fileno())
            try:
                yield
            finally:
                _enter(own.fileno())


def _enter(namespace: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
