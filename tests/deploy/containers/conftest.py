"""One Podman and its images for all tests with containers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.containers import images
from tests.deploy.containers.podman import Podman
from tests.resilience.load import opened
from tests.server import ROOT

IMAGE = "localhost/botpenguin"


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    with Podman(tmp_path_factory.mktemp("podman")) as running:
        yield running


@pytest.fixture(scope="session")
def python(podman: Podman) -> None:
    """The base of our image."""
    images.prepare_base(podman, "trixie")
    images.build(podman, "python", "localhost/python:3.13-slim")


@pytest.fixture(scope="session")
def image(podman: Podman, python: None) -> str:
    images.build_ours(podman, IMAGE)
    return IMAGE


@pytest.fixture(scope="session")
def other_images(podman: Podman, python: None) -> None:
    """The programs around ours, under the names that compose.yaml has for them."""
    images.prepare_base(podman, "bookworm")
    images.build(podman, "postgres", "localhost/postgres:15")
    images.build(podman, "valkey", "localhost/valkey/valkey:8")
    images.build(podman, "nginx", "localhost/nginx:1.28")


@pytest.fixture(scope="session")
def tests_image(podman: Podman, python: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of our image, with what the tests need."""
    context = tmp_path_factory.mktemp("context")
    shutil.copy(ROOT / "requirements-dev.txt", context)
    images.build(podman, "tests", "localhost/botpenguin-tests", context)
    return "localhost/botpenguin-tests"


@pytest.fixture(autouse=True)
def closed_connections() -> Iterator[None]:
    yield
    while opened:
        opened.pop()()


def owned_by_the_image(path: Path) -> None:
    """Let only the user of the image read a file."""
    path.chmod(0o600)
    shutil.chown(path, 10001, 10001)
