"""Installs the units by the steps of docs/deployment.md, and reads what systemd and the kernel say about them."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from tests.cast import PASSWORD
from tests.deploy.machine import GROUPS, Machine
from tests.nginx import HOST
from tests.resilience.load import PEOPLE
from tests.server import ROOT, free_port, poll

DOCUMENT = (ROOT / "docs" / "deployment.md").read_text()
[SECTION] = re.findall(r"^## With systemd$(.*?)^## ", DOCUMENT, re.MULTILINE | re.DOTALL)
INSTALL, START, CHECK = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
FOLDER, ENV_FILE = "/opt/botpenguin", "/etc/botpenguin/env"
SETTINGS = {"HTTPS": "on", "PUBLIC_URL": f"https://{HOST}", "TRUSTED_PROXIES": "127.0.0.1", "API_RATE_LIMIT": "0"}
WORKER = "botpenguin-worker"
# Accounts: `person100@example.com` and so on.
FIRST_PERSON, PEOPLE_MADE = 100, 3


class Units:
    """The units on a machine, with free ports in place of 8000 and 8001."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.ports = [free_port(), free_port()]
        self.nodes = [f"botpenguin@{port}" for port in self.ports]
        self.names = [*self.nodes, WORKER]

    def install(self) -> None:
        """Do what the document says."""
        copy_project(self.machine.root / FOLDER.strip("/"))
        self.sh(INSTALL)
        self.write_settings()
        self.sh(START)

    def sh(self, script: str) -> str:
        for written, port in zip(("8000", "8001"), self.ports, strict=True):
            script = script.replace(written, str(port))
        return self.machine.run("sh", "-ec", f"cd {FOLDER}\n{script}")

    def write_settings(self, **more: str) -> None:
        """Put the settings into the file of the units, and keep its secrets."""
        path = self.machine.root / ENV_FILE.strip("/")
        secrets = re.findall("^(?:SECRET_KEY|TOKEN_KEYS)=.*\n", path.read_text() if path.exists() else "", re.MULTILINE)
        path.write_text("".join(secrets) + "".join(f"{name}={value}\n" for name, value in (SETTINGS | more).items()))

    def make_people(self) -> None:
        numbers = f"{FIRST_PERSON}, {FIRST_PERSON + PEOPLE_MADE}"
        self.shell(PEOPLE.format(count=numbers, password=PASSWORD))

    def shell(self, code: str) -> str:
        """Run code by the documented way to run commands of `manage.py`."""
        script = CHECK.replace("check --deploy --database default", 'shell --no-imports -v0 -c "$1"')
        assert script != CHECK
        return self.machine.run("sh", "-ec", f"cd {FOLDER}\n{script}", "sh", code)

    def show(self, unit: str, name: str) -> str:
        return self.machine.run("systemctl", "show", f"--property={name}", "--value", unit).strip()

    def states(self) -> list[str]:
        return [self.show(unit, "ActiveState") for unit in self.names]

    def cursor(self) -> str:
        """Return the present end of the journal."""
        [last] = self.machine.run("journalctl", "--lines=1", "--output=json").splitlines()
        cursor: str = json.loads(last)["__CURSOR"]
        return cursor

    def journal(self, *, after: str = "") -> "Journal":
        units = [f"--unit={unit}" for unit in self.names]
        since = [f"--after-cursor={after}"] if after else []
        lines = self.machine.run("journalctl", "--output=json", "--all", *units, *since).splitlines()
        return Journal([json.loads(line) for line in lines])

    def wait_for_restart(self, unit: str, restarts: int) -> None:
        poll(lambda: int(self.show(unit, "NRestarts")) > restarts and self.show(unit, "ActiveState") == "active")


class Journal(NamedTuple):
    entries: list[dict[str, Any]]

    @property
    def messages(self) -> list[str]:
        found = [entry["MESSAGE"] for entry in self.entries]
        return [text if isinstance(text, str) else bytes(text).decode() for text in found]

    @property
    def errors(self) -> list[str]:
        """What systemd, or a line of ours, calls an error."""
        return [
            message
            for entry, message in zip(self.entries, self.messages, strict=True)
            if int(entry["PRIORITY"]) <= 3 or re.search('"level": "(ERROR|CRITICAL)"|Traceback|refused', message)
        ]

    def count(self, text: str) -> int:
        return sum(text in message for message in self.messages)


class Memory:
    """The control group of a process, as this machine's kernel counts it."""

    def __init__(self, pid: int) -> None:
        groups = dict(line.split(":", 2)[1:] for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines())
        self.is_old = "memory" in groups
        self.folder = GROUPS / "memory" / groups["memory"][1:] if self.is_old else GROUPS / groups[""][1:]

    @property
    def bound(self) -> int:
        return int((self.folder / ("memory.limit_in_bytes" if self.is_old else "memory.max")).read_text())

    @property
    def in_use_at_most(self) -> int:
        return int((self.folder / ("memory.max_usage_in_bytes" if self.is_old else "memory.peak")).read_text())

    @property
    def kills(self) -> int:
        text = (self.folder / ("memory.oom_control" if self.is_old else "memory.events")).read_text()
        return Counter({name: int(number) for name, number in map(str.split, text.splitlines())})["oom_kill"]


def copy_project(target: Path) -> None:
    """Copy the files that git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    target.mkdir(parents=True)
    for name in filter(None, listed.decode().split("\0")):
        if (source := ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(source.read_bytes())
