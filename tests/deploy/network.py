"""Machines of their own on one machine: network namespaces, joined by a bridge. Needs root."""

import ctypes
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.server import poll

CLONE_NEWNET = 0x40000000
BRIDGE = "machines"
NETWORK = "10.0.0.{}/24"
HERE = "/proc/thread-self/ns/net"


@contextmanager
def own_network() -> Iterator[None]:
    """Move this thread, and all that it starts, into a network of its own with nothing but a loopback and a bridge."""
    libc = ctypes.CDLL(None, use_errno=True)
    # A run that is ended stops its machines first, as after Ctrl-C.
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Path(HERE).open() as before:
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "A network namespace needs root")
        try:
            ip("link", "set", "lo", "up")
            ip("link", "add", BRIDGE, "type", "bridge")
            ip("link", "set", BRIDGE, "up")
            add_address(1)
            yield
        finally:
            libc.setns(before.fileno(), CLONE_NEWNET)
            signal.signal(signal.SIGTERM, handler)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def add_address(number: int) -> None:
    """Give this network 10.0.0.NUMBER."""
    ip("address", "add", NETWORK.format(number), "dev", BRIDGE)


class Machine:
    """A machine at 10.0.0.NUMBER, which can be cut off from all others."""

    def __init__(self, number: int) -> None:
        self.address = f"10.0.0.{number}"
        self.link = f"machine{number}"
        # The namespace exists as long as this process.
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        pid = self.holder.pid
        self.namespace = Path(f"/proc/{pid}/ns/net")
        poll(lambda: self.namespace.readlink() != Path(HERE).readlink())
        ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        ip("link", "set", self.link, "master", BRIDGE, "up")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", NETWORK.format(number), "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")

    def inside(self, *command: str | Path) -> list[str | Path]:
        """Return the command that runs another on this machine."""
        return ["nsenter", f"--net={self.namespace}", *command]

    def run(self, *command: str) -> None:
        subprocess.run(self.inside(*command), check=True)

    def start(self, *command: str | Path, account: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a program as a user. It may read all, since the folder of this checkout may be only root's."""
        reads = [f"--{kind}-caps=+dac_read_search" for kind in ("inh", "ambient")]
        to = ["setpriv", f"--reuid={account}", f"--regid={account}", "--clear-groups", *reads]
        return subprocess.Popen(self.inside(*to, *command), start_new_session=True, **options)

    def cut_off(self) -> None:
        """Drop every packet to and from the machine without an answer, as a broken cable does."""
        for chain, interface in (("INPUT", "--in-interface"), ("OUTPUT", "--out-interface")):
            self.run("iptables", "--append", chain, interface, "eth0", "--jump", "DROP")

    def join(self) -> None:
        self.run("iptables", "--flush")

    def remove(self) -> None:
        self.holder.kill()
        self.holder.wait()
