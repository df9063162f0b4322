"""A bound on the memory of a test's processes, as a unit sets it: a control group, version 1 or 2."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from tests.processes import descendants

MIB = 1024 * 1024
ROOT = Path("/sys/fs/cgroup")
# The folder of groups, the file of the bound, and the key in memory.stat for memory that is no cache of files.
VERSIONS = [(ROOT / "memory", "memory.limit_in_bytes", "rss"), (ROOT, "memory.max", "anon")]


class Cage:
    """A control group. `peak` is the most memory in use at once, in bytes, without the cache of files."""

    def __init__(self, group: Path | None, word: str) -> None:
        self.group, self.word = group, word
        self.peak = 0
        self.pid = 0

    def take(self, pid: int) -> None:
        """Add a process, and all processes that it will start."""
        self.pid = pid
        if self.group:
            (self.group / "cgroup.procs").write_text(str(pid))

    def watch(self, is_over: threading.Event) -> None:
        while not is_over.wait(0.02):
            self.peak = max(self.peak, self._in_use())

    def _in_use(self) -> int:
        if self.group:
            found = re.search(rf"^{self.word} (\d+)$", (self.group / "memory.stat").read_text(), re.MULTILINE)
            assert found
            return int(found[1])
        return sum(resident(pid) for pid in [self.pid, *descendants(self.pid)] if self.pid)


@contextmanager
def cage(most: int) -> Iterator[Cage]:
    """Make a control group with a bound in bytes. Where the system has none, memory is only watched."""
    is_over, (group, word) = threading.Event(), _make(most)
    made = Cage(group, word)
    watcher = threading.Thread(target=made.watch, args=(is_over,))
    watcher.start()
    try:
        yield made
    finally:
        is_over.set()
        watcher.join()
        if group:
            with suppress(OSError):
                group.rmdir()


def _make(most: int) -> tuple[Path | None, str]:
    for root, bound, word in VERSIONS:
        group = root / f"botpenguin-{os.getpid()}-{token_hex(4)}"
        with suppress(OSError):
            group.mkdir()
            (group / bound).write_text(str(most))
            return group, word
    return None, ""


def resident(pid: int, kind: str = "VmRSS") -> int:
    """Return the bytes of memory of a process now, or its peak (`VmHWM`); 0 where it has ended."""
    with suppress(OSError):
        found = re.search(rf"{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0
