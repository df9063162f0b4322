"""README: `make run` works from a fresh clone, whatever the name of its folder, and each clone has its own database."""

import os
import re
import signal
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import server
from tests.processes import descendants, kill
from tests.server import ROOT

pytestmark = pytest.mark.no_cover

# One folder with all that a shell, make, a URL or an option could read otherwise.
ODD = """-app #1 what? 100%25 50% a&b it's "x" $HOME Über 日本語 c++;*"""


def clone(folder: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", "--no-tags", ROOT, folder], check=True)
    return folder


def environment(**settings: str) -> dict[str, str]:
    """Return the environment without settings: a fresh clone has its files in its own folder."""
    inherited = server.environment(ROOT, **settings)
    return {name: value for name, value in inherited.items() if name not in ("ENV_FILE", "STATE_DIR", server.COVERAGE)}


def prepare(folder: Path) -> None:
    """Make `.venv` as `make` does, and let it find the packages of this one instead of installing them again."""
    made = server.run(
        "make", "--directory", str(folder), ".venv/bin/pip", f"PYTHON={sys.executable}", env=environment()
    )
    assert made.returncode == 0, made.stderr
    [packages] = folder.glob(".venv/lib/python*/site-packages")
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib"))
    (folder / ".venv" / "run.stamp").touch()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run `make run` during the block. Yield what the log-in page answers."""
    port = server.free_port()
    with (folder.parent / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=folder,
            env=environment(PORT=str(port)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            umask=0o022,
            start_new_session=True,
        )
    try:
        server.poll(lambda: process.poll() is not None or server.responds(port))
        assert process.poll() is None, Path(log.name).read_text()
        yield server.ask(f"http://localhost:{port}/account/login/").text
    finally:
        family = descendants(process.pid)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=90)
        for pid in family:
            kill(pid)


def private_files(folder: Path) -> list[str]:
    """Name the files that hold data, and check that only their owner reads them."""
    found = [path for path in (folder / ".env", *(folder / "var").iterdir()) if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert stat.S_IMODE((folder / "var").stat().st_mode) == 0o700
    return sorted(path.name for path in found)


def test_a_clone_writes_its_secrets_into_its_own_folder(tmp_path: Path) -> None:
    folder = clone(tmp_path / ODD)

    made = subprocess.run(
        [sys.executable, "-m", "botpenguin.bootstrap"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (made.returncode, made.stdout) == (0, f"Wrote fresh secrets to {folder}/.env. Keep it safe.\n"), made.stderr
    assert private_files(folder) == [".env"]
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.release
@pytest.mark.long
def test_make_run_works_from_fresh_clones_and_each_has_its_own_database(tmp_path: Path) -> None:
    folders = [tmp_path / ODD, tmp_path / ODD.replace("#1", "#2")]
    for folder in folders:
        prepare(clone(folder))

        with running(folder) as page:
            served = private_files(folder)

        assert "<h1" in page
        assert {"db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm", ".env"} < set(served)

    assert {path for path in tmp_path.iterdir() if path.suffix != ".log"} == set(folders)
    assert len({(folder / ".env").read_text() for folder in folders}) == len(folders)
    passwords = re.findall("with the password (.+)", "".join(path.read_text() for path in tmp_path.glob("*.log")))
    assert len(set(passwords)) == len(folders)
