"""Podman with a storage, networks and settings of its own."""

import fcntl
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.deploy.containers.sandbox import Sandbox
from tests.server import ROOT, poll

# Images and their layers are kept, so that the next run builds what has changed only.
KEPT = ROOT / ".venv" / "containers"
PROGRAMS = ROOT / ".venv" / "deployment" / "bin"
SETTINGS = {
    # runc also works where control groups of both versions are mounted. It may not raise limits above this machine's.
    "CONTAINERS_CONF": """\
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = "netavark"
""",
    "CONTAINERS_STORAGE_CONF": f"""\
[storage]
driver = "overlay"
graphroot = "{KEPT / "storage"}"
runroot = "/run/containers/storage"
""",
    # Nothing is pulled.
    "CONTAINERS_REGISTRIES_CONF": "unqualified-search-registries = []\n",
}
# The names that the documented commands have, as Debian's package podman-docker gives them.
DOCKER = """\
#!/bin/sh
[ "$1" = compose ] && shift && exec podman-compose "$@"
exec podman "$@"
"""


class Podman:
    """Podman in namespaces that end with the tests. One run of the tests at a time uses the storage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "bin" / "docker").write_text(DOCKER)
        (folder / "bin" / "docker").chmod(0o755)
        self.environment = os.environ | {"PATH": f"{folder / 'bin'}:{PROGRAMS}:{os.environ['PATH']}"}
        for name, text in SETTINGS.items():
            (folder / name).write_text(text)
            self.environment[name] = str(folder / name)

    def __enter__(self) -> Self:
        KEPT.mkdir(exist_ok=True)
        with ExitStack() as stack:
            lock = stack.enter_context((KEPT / "lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.sandbox = stack.enter_context(Sandbox())
            # What an interrupted run has left in the storage.
            self.run("rm", "--all", "--force", "--volumes")
            self.run("volume", "prune", "--force")
            self.run("network", "prune", "--force")
            stack.callback(self.run, "rm", "--all", "--force", "--volumes", "--time", "1")
            self._undo = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._undo.close()

    def attempt(
        self, *command: str | Path, cwd: Path | None = None, is_online: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a program beside the containers."""
        return subprocess.run(
            self.sandbox.command(cwd or self.folder, *command, is_online=is_online),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )

    def run(self, *arguments: str | Path, cwd: Path | None = None, is_online: bool = False) -> str:
        """Run a command of Podman, which must succeed, and return its output."""
        done = self.attempt("podman", *arguments, cwd=cwd, is_online=is_online)
        assert done.returncode == 0, f"{' '.join(map(str, arguments))}\n{done.stdout[-5000:]}\n{done.stderr[-5000:]}"
        return done.stdout

    def has(self, image: str) -> bool:
        return self.attempt("podman", "image", "exists", image).returncode == 0

    def logs(self, container: str) -> str:
        read = self.attempt("podman", "logs", container)
        return read.stdout + read.stderr

    def inspect(self, container: str, field: str) -> str:
        return self.run("inspect", "--format", f"{{{{.{field}}}}}", container).strip()

    def is_healthy(self, container: str) -> bool:
        """Run the health check of the image or of Compose: Podman itself does so by timers of systemd."""
        return self.attempt("podman", "healthcheck", "run", container).returncode == 0

    def wait_until_healthy(self, *containers: str) -> None:
        try:
            for container in containers:
                poll(lambda: self.is_healthy(container))  # noqa: B023
        except AssertionError:
            sys.stderr.writelines(f"{name}:\n{self.logs(name)[-3000:]}\n" for name in containers)
            raise
