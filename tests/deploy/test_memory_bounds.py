"""The memory bounds of units and Compose follow from the table of docs/performance.md."""

import re
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.server import ROOT

DOCUMENT = (ROOT / "docs" / "performance.md").read_text()
DEPLOY = ROOT / "deploy"
UNITS = {"web": "botpenguin@.service", "worker": "botpenguin-worker.service"}
SERVICES = {"web": ["web-1", "web-2"], "worker": ["worker"]}
# /tmp and the state of Compose are in memory, and count too.
TMPFS = 128
STEP = 256
# From the table: the kind, the memory of all its processes, and the bound.
BOUNDED = re.findall(r"^\| `(\w+)` \|.*\| ([\d,]+) \| ([\d,]+) \|$", DOCUMENT, re.MULTILINE)
TOGETHER, BOUNDS = ({row[0]: int(row[column].replace(",", "")) for row in BOUNDED} for column in (1, 2))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


def unit(kind: str) -> str:
    return (DEPLOY / "systemd" / UNITS[kind]).read_text()


def environment_of(text: str) -> dict[str, str]:
    lines = re.findall(r"^Environment=(.+)$", text, re.MULTILINE)
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


def mib(text: str) -> int:
    number, multiple = re.fullmatch(r"(\d+)([MmGg])", text).groups()  # type: ignore[union-attr]
    return int(number) * (1024 if multiple in "Gg" else 1)


@pytest.mark.parametrize("kind", UNITS)
def test_a_bound_is_the_measured_memory_a_quarter_more_and_tmpfs(kind: str) -> None:
    least = TOGETHER[kind] * 1.25 + TMPFS

    assert BOUNDS[kind] == -(-least // STEP) * STEP


@pytest.mark.parametrize("kind", UNITS)
def test_units_have_the_bound_and_outlive_a_process_that_is_killed_for_it(kind: str) -> None:
    found = dict(re.findall(r"^(MemoryMax|OOMPolicy)=(.+)$", unit(kind), re.MULTILINE))

    assert found == {"MemoryMax": f"{BOUNDS[kind]}M", "OOMPolicy": "continue"}


@pytest.mark.parametrize("kind", SERVICES)
def test_compose_has_the_same_bound(kind: str) -> None:
    services = [COMPOSE[name] for name in SERVICES[kind]]

    assert [mib(service["mem_limit"]) for service in services] == [BOUNDS[kind]] * len(services)
    sizes = [re.findall(r"size=(\w+)", mount) for service in services for mount in service["tmpfs"]]
    assert sum(mib(size) for [size] in sizes) == TMPFS * len(services)


def test_units_and_compose_start_the_processes_that_were_measured() -> None:
    counted = f"{settings.WORKERS} workers of {settings.THREADS} threads"

    assert f"| `web` | {UNITS['web']}; {', '.join(SERVICES['web'])} | serve, Granian, {counted} |" in DOCUMENT
    assert not {"WORKERS", "THREADS"} & environment_of(unit("web")).keys()
    assert not {"WORKERS", "THREADS"} & COMPOSE["web-1"]["environment"].keys()


def test_the_allocator_is_the_one_that_was_measured() -> None:
    arenas = [environment_of(unit(kind)).get("MALLOC_ARENA_MAX") for kind in UNITS]

    assert arenas == ["2", "2"]
    assert "    MALLOC_ARENA_MAX=2 \\\n" in (DEPLOY / "Dockerfile").read_text()
