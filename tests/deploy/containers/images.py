"""Builds images without a registry: bases by debootstrap, and on them the programs that compose.yaml names."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.deploy.containers.podman import KEPT, Podman
from tests.server import ROOT

FILES = Path(__file__).parent / "images"
# The packages of each base, by Debian's release.
PACKAGES = {
    "bookworm": "postgresql-15",
    "trixie": "python3,python3-venv,ca-certificates",
}
FROM_THE_MACHINE = (
    "/etc/apt/apt.conf.d",
    "/etc/ssl/certs",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
)
BUILD = ("build", "--pull=never", "--format", "docker", "--isolation", "chroot", "--network", "host", "--layers")
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def prepare_base(podman: Podman, release: str) -> None:
    """Make `debian:RELEASE` of the packages above, unless an earlier run has."""
    kept = f"localhost/base:{release}-{hashlib.sha256(PACKAGES[release].encode()).hexdigest()[:12]}"
    if not podman.has(kept):
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            # The archives are signed, and the mirror is this machine's.
            make = ["debootstrap", "--variant=minbase", f"--include={PACKAGES[release]}", release, folder, mirror()]
            made = podman.attempt(*make, is_online=True)
            assert made.returncode == 0, made.stdout[-3000:] + made.stderr
            pipe = f"tar --create --directory '{folder}' . | podman import --change 'ENV {PATH}' - {kept}"
            imported = podman.attempt("sh", "-c", pipe)
            assert imported.returncode == 0, imported.stderr
    podman.run("tag", kept, f"localhost/debian:{release}")


def mirror() -> str:
    """The address from which this machine installs Debian's packages."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"],
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()[0]


def build(podman: Podman, name: str, tag: str, context: Path = FILES) -> None:
    """Build one of the files beside this module."""
    podman.run(*BUILD, *mounts(podman), "--file", FILES / f"{name}.Dockerfile", "--tag", tag, context, is_online=True)


def build_ours(podman: Podman, tag: str) -> None:
    """Build the image of `deploy/`."""
    deploy = ROOT / "deploy"
    ignored = ("--ignorefile", deploy / "Dockerfile.dockerignore")
    podman.run(*BUILD, *mounts(podman), *ignored, "--file", deploy / "Dockerfile", "--tag", tag, ROOT, is_online=True)


def mounts(podman: Podman) -> list[str]:
    """Let a build find packages as this machine does. Nothing of it remains in the image."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(pip, capture_output=True, text=True, check=True).stdout
    # pip lists the environment, which counts most, first.
    settings = dict(re.findall(r"^\S+\.(\S+?)='(.*)'$", "\n".join(reversed(listed.splitlines())), re.MULTILINE))
    file = podman.folder / "pip.conf"
    file.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    words = [word for value in settings.values() for word in value.split()]
    # The files of an index may lie beside it.
    indexes = [Path(word.removeprefix("file://")).parent for word in words if word.startswith("file://")]
    paths = {*indexes, *map(Path, words), *map(Path, FROM_THE_MACHINE)}
    found = [(path, path) for path in sorted(paths) if path.is_absolute() and path.exists()]
    return [f"--volume={source}:{target}:ro" for source, target in [*found, (file, Path("/etc/pip.conf"))]]


def copy_tree(folder: Path) -> None:
    """Copy the files that are, or are about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
