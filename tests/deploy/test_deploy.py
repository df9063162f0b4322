"""The programs that read the files of `deploy/` check them, before others start them."""

import re
import shutil
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.nginx import Nginx
from tests.server import ROOT

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COPIED = re.findall(r"^COPY ([\w.]+) (\S+)$", DOCKERFILE.split("\nFROM ")[-1], re.MULTILINE)
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120, check=False)


def tool(name: str) -> Path:
    return Path(sys.executable).with_name(name)


def test_nginx_accepts_the_site(tmp_path: Path) -> None:
    checked = Nginx(tmp_path, 8000, 8001).check()

    assert checked.returncode == 0, checked.stderr
    # Later versions than Debian's have another directive.
    expected = 'the "listen ... http2" directive is deprecated'
    assert [line for line in checked.stderr.splitlines() if "[warn]" in line and expected not in line] == []


def test_nginx_accepts_the_nodes_of_compose(tmp_path: Path) -> None:
    nginx = Nginx(tmp_path, 8000, 8001)
    shutil.copy(DEPLOY / "nginx" / "upstream-compose.conf", tmp_path / "conf.d" / "upstream.conf")

    checked = nginx.check()

    assert checked.returncode == 0, checked.stderr


def test_nginx_and_compose_give_the_nodes_the_same_addresses() -> None:
    written = re.findall(r"server (\S+):8000 ", (DEPLOY / "nginx" / "upstream-compose.conf").read_text())
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    given = [compose["services"][name]["networks"]["front"]["ipv4_address"] for name in ("web-1", "web-2")]
    [network] = compose["networks"]["front"]["ipam"]["config"]

    assert written == given
    # No other container may get one of them.
    assert {ip_address(address) in ip_network(network["subnet"]) for address in given} == {True}
    assert {ip_address(address) in ip_network(network["ip_range"]) for address in given} == {False}


def test_nothing_in_nginx_repeats_a_post() -> None:
    directives = [
        line.strip()
        for path in (DEPLOY / "nginx").glob("*.conf")
        for line in path.read_text().splitlines()
        if line.strip().startswith("proxy_next_upstream ")
    ]

    assert set(directives) == {"proxy_next_upstream error timeout;"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_the_units(unit: Path, tmp_path: Path) -> None:
    """This machine does not have the programs of the units, so another replaces them."""
    stand_in = tmp_path / unit.name
    text = unit.read_text()
    assert "/opt/botpenguin/.venv/bin/python " in text
    stand_in.write_text(
        text.replace("/opt/botpenguin/.venv/bin/python", "/bin/true").replace("/usr/bin/curl", "/bin/true")
    )

    verified = run("systemd-analyze", "verify", "--man=no", stand_in)

    complaints = [line for line in verified.stderr.splitlines() if unit.name.partition(".")[0] in line]
    assert complaints == []
    assert verified.returncode == 0, verified.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_the_units_are_sandboxed(unit: Path) -> None:
    """Exposure as systemd counts it, from 0 (shut in) to 10."""
    rated = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)

    assert rated.returncode == 0, rated.stdout


def test_the_units_share_their_state_and_so_a_database_of_sqlite() -> None:
    states = [
        (
            re.findall(r"^Environment=STATE_DIR=(.*)$", text, re.MULTILINE),
            re.findall(r"^StateDirectory=(.*)$", text, re.MULTILINE),
        )
        for text in (unit.read_text() for unit in UNITS)
    ]

    assert states == [(["/var/lib/botpenguin"], ["botpenguin"])] * 2


def test_the_compose_file_fits_its_schema() -> None:
    checked = run(
        sys.executable, tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"
    )

    assert checked.returncode == 0, checked.stdout


def test_every_file_that_the_compose_file_mounts_exists() -> None:
    mounted = re.findall(r"- (\./nginx/\S+?):", (DEPLOY / "compose.yaml").read_text())

    assert len(mounted) == 5
    assert [path for path in mounted if not (DEPLOY / path).is_file()] == []


def test_hadolint_has_nothing_to_say_about_the_dockerfile() -> None:
    linted = run(tool("hadolint"), DEPLOY / "Dockerfile")

    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_image_copies_each_package_and_each_folder_that_settings_name() -> None:
    packages = {name.partition(".")[0] for name in settings.INSTALLED_APPS if (ROOT / name.partition(".")[0]).is_dir()}
    templates: Any = settings.TEMPLATES[0]["DIRS"]
    folders = {Path(folder).name for folder in [*templates, *settings.STATICFILES_DIRS, *settings.LOCALE_PATHS]}

    assert {source for source, _ in COPIED} == packages | folders | {"manage.py"}
