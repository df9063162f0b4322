"""The programs that read the files of `deploy/ha` accept them, and their times fit each other."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.server import ROOT

DEPLOY = ROOT / "deploy" / "ha"
HAPROXY = (DEPLOY / "haproxy.cfg").read_text()
PATRONI: dict[str, Any] = yaml.safe_load((DEPLOY / "patroni.yml").read_text())
DCS: dict[str, Any] = PATRONI["bootstrap"]["dcs"]
DOCUMENT = (ROOT / "docs" / "failover.md").read_text()


def number(pattern: str) -> float:
    [found] = re.findall(pattern, HAPROXY)
    return float(found)


def settings_in(name: str) -> dict[str, str]:
    lines = (DEPLOY / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def drops_after() -> float:
    """The seconds in which haproxy drops a primary that answers nothing."""
    return number(r"fall (\d+)") * (number(r"inter (\d+)s") + number(r"timeout check (\d+)ms") / 1000)


def test_the_fence_closes_before_another_primary_is_chosen() -> None:
    assert drops_after() < DCS["ttl"] - DCS["loop_wait"]
    assert f"= {drops_after():.1f} seconds" in DOCUMENT
    assert f"`ttl - loop_wait`, {DCS['ttl'] - DCS['loop_wait']} seconds" in DOCUMENT


def test_the_times_of_patroni_fit_each_other() -> None:
    assert DCS["loop_wait"] + 2 * DCS["retry_timeout"] <= DCS["ttl"]


def test_an_answered_commit_is_on_a_standby_without_exception() -> None:
    assert (DCS["synchronous_mode"], DCS["synchronous_mode_strict"]) == (True, True)
    assert DCS["postgresql"]["parameters"]["synchronous_commit"] == "on"


def test_haproxy_fences_every_member_and_leaves_connections_to_patroni() -> None:
    servers = re.findall(r"^    server (\S+) (\S+):5432 check port 8008$", HAPROXY, re.MULTILINE)

    assert servers == [(f"pg-{n}", f"10.0.0.1{n}") for n in (1, 2, 3)]
    assert "option httpchk OPTIONS /primary" in HAPROXY
    assert "default-server" in HAPROXY
    assert "on-marked-down shutdown-sessions" in HAPROXY


def test_nodes_have_fewer_connections_than_postgresql_allows() -> None:
    of_a_node = settings.WORKERS * (settings.THREADS + 1)
    of_haproxy = number(r"maxconn (\d+) on-marked-down")

    assert of_a_node < of_haproxy
    assert 2 * of_haproxy < DCS["postgresql"]["parameters"]["max_connections"]


def test_a_node_connects_to_its_haproxy_and_says_that_the_database_is_fenced() -> None:
    [address] = re.findall(r"bind (\S+)", HAPROXY)
    given = settings_in("node.env")

    assert f"@{address}/" in given["DATABASE_URL"]
    assert given["DATABASE_FENCED"] == "on"


def test_patroni_asks_every_etcd() -> None:
    members = settings_in("etcd.env")["ETCD_INITIAL_CLUSTER"].split(",")

    assert [member.partition("//")[2].replace(":2380", ":2379") for member in members] == PATRONI["etcd3"]["hosts"]


def test_every_secret_is_to_be_replaced() -> None:
    secrets = [account["password"] for account in PATRONI["postgresql"]["authentication"].values()]
    secrets += [PATRONI["restapi"]["authentication"]["password"], settings_in("node.env")["DATABASE_URL"]]

    assert [secret for secret in secrets if "CHANGE_ME_" not in secret] == []


def test_systemd_accepts_the_unit_of_patroni(tmp_path: Path) -> None:
    text = (DEPLOY / "patroni.service").read_text()
    unit = tmp_path / "patroni.service"
    assert "/opt/patroni/bin/patroni " in text
    unit.write_text(text.replace("/opt/patroni/bin/patroni ", "/bin/true "))

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=120, check=False
    )

    assert [line for line in verified.stderr.splitlines() if "patroni" in line] == []
    assert verified.returncode == 0, verified.stderr


@pytest.mark.deployment
def test_haproxy_accepts_its_file() -> None:
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"

    checked = subprocess.run([program, "-c", "-f", DEPLOY / "haproxy.cfg"], capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")
