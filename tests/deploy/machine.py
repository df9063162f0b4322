"""Boots a Debian with systemd in a container, with files and control groups of its own, on this machine's loopback."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Self

from botpenguin import bootstrap
from tests.processes import command_line, descendants, kill
from tests.server import ROOT, poll

# Made once, and copied for each machine. The folder of pip lets the next machine install without downloads.
KEPT = ROOT / ".venv" / "units"
PACKAGES = "systemd,systemd-sysv,dbus,curl,python3,python3-venv"
GROUPS = Path("/sys/fs/cgroup")
# Groups of version 1, where the memory of units is counted. systemd itself keeps its units in the first two.
HYBRID = ("systemd", "unified", "memory")
JOIN_AND_RUN = 'for group in $JOINED; do echo $$ > "$group/cgroup.procs"; done; exec "$@"'
# All of its processes end with the process of the tests, whatever ends that.
BOUND = (*("setpriv", "--pdeathsig", "KILL"), *("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"))
OPTIONS = ("--boot", "--register=no", "--keep-unit", "--settings=no", "--link-journal=no", "--quiet", "--console=pipe")
# In the machine.
HOME_OF_ROOT = Path("/root")


class Machine:
    """A running Debian: `root` is the folder of its files, `leader` its first process, as this machine numbers it."""

    leader = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = tempfile.mkdtemp(prefix="botpenguin-machine-")
            stack.callback(remove, folder)
            self.root, self.name = Path(folder) / "root", f"botpenguin-{token_hex(4)}"
            subprocess.run(["cp", "--archive", "--reflink=auto", base(), self.root], check=True)
            self.groups = [GROUPS / part / self.name for part in hierarchies()]
            for group in self.groups:
                stack.callback(remove_group, group)
                group.mkdir()
            log = stack.enter_context((Path(folder) / "console").open("wb"))
            self.process = subprocess.Popen(
                ["sh", "-c", JOIN_AND_RUN, "sh", *BOUND, "systemd-nspawn", *OPTIONS, *self._places()],
                env=os.environ | {"JOINED": " ".join(map(str, self.groups))},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            stack.callback(self._stop)
            poll(self._has_booted)
            self._count_memory()
            self._undo = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._undo.close()

    def _places(self) -> list[str]:
        pip = KEPT / "pip"
        pip.mkdir(exist_ok=True)
        return [f"--directory={self.root}", f"--machine={self.name}", f"--bind={pip}:{HOME_OF_ROOT}/.cache/pip"]

    def _has_booted(self) -> bool:
        assert self.process.poll() is None, (self.root.parent / "console").read_text()
        family = descendants(self.process.pid)
        found = [pid for pid in family if command_line(pid).split(b"\0")[0].endswith(b"/systemd")]
        if not found:
            return False
        self.leader = found[0]
        return self.run("systemctl", "is-system-running", check=False).strip() in {"running", "degraded"}

    def _count_memory(self) -> None:
        """Let systemd bound memory. nspawn gives it the groups of version 1 read-only."""
        memory = "/sys/fs/cgroup/memory"
        if Path(memory).is_dir():
            self.run("mount", "--options", "remount,bind,rw", memory)
            self.run("systemctl", "daemon-reexec")

    def _stop(self) -> None:
        # With the first process of a namespace the kernel ends all. nspawn then removes what it has made.
        for pid in [self.leader] if self.leader else descendants(self.process.pid)[:1]:
            kill(pid)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command in it as root, and return what it prints."""
        inside = ["nsenter", f"--target={self.leader}", "--mount", "--pid", "--uts", "--ipc", *command]
        clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(inside, env=clean, capture_output=True, text=True, timeout=300, check=False)
        assert not check or done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def pids(self, unit: str) -> list[int]:
        """Return the processes of a unit, as this machine counts them: the main process first."""
        main = self.run("systemctl", "show", "--property=MainPID", "--value", unit).strip()
        for pid in descendants(self.leader):
            with suppress(OSError):
                if re.search(rf"^NSpid:.*\t{main}$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE):
                    return [pid, *descendants(pid)]
        return []


def hierarchies() -> tuple[str, ...]:
    return HYBRID if (GROUPS / HYBRID[-1]).is_dir() else ("",)


def base() -> Path:
    """Return the folder of a Debian that was never booted."""
    # Another list of packages needs another Debian.
    made = KEPT / PACKAGES
    KEPT.mkdir(parents=True, exist_ok=True)
    with bootstrap.alone_in(KEPT):
        if not made.is_dir():
            if os.geteuid() != 0:
                sys.exit("A container is started here, which takes root.")
            with tempfile.TemporaryDirectory(dir=KEPT) as folder:
                fresh = Path(folder) / "debian"
                subprocess.run([ROOT / "scripts" / "debian-root", fresh, PACKAGES], check=True)
                subprocess.run(["chroot", fresh, "/usr/sbin/update-ca-certificates"], check=True)
                fresh.rename(made)
    return made


def remove(folder: str) -> None:
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=True)


def remove_group(group: Path) -> None:
    """Remove a control group whose processes have ended."""
    for path in sorted(group.rglob("*/"), reverse=True):
        path.rmdir()
    group.rmdir()
