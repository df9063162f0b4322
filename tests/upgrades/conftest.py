"""A database of release 0.1.0, as it was and brought up to date. Each process makes each of them once."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from tests.upgrades import databases
from tests.upgrades.databases import Rows, connected_to


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("upgrades")


@pytest.fixture(scope="session")
def before_and_after(folder: Path, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> tuple[Rows, str]:
    """The rows of 0.1.0, and the name of the database that was brought up to date from them."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        # Four tokens take two batches and an empty one.
        patch.setattr(import_module("developers.migrations.0008_bind_tokens"), "BATCH", 2)
        name = databases.load(folder)
        with connected_to(name):
            before = databases.all_rows()
            databases.migrate()
    return before, name


@pytest.fixture(scope="module")
def upgraded(before_and_after: tuple[Rows, str], django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Run a module's tests on the database that was brought up to date; each is rolled back."""
    with django_db_blocker.unblock(), connected_to(before_and_after[1]):
        yield


@pytest.fixture(autouse=True)
def time_of_0_1_0(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    databases.at_the_time_of_0_1_0(monkeypatch)
    settings.EMAIL_BACKEND = "post_office.EmailBackend"


@pytest.fixture
def copy(folder: Path, before_and_after: tuple[Rows, str], transactional_db: None) -> Iterator[None]:
    """Run a test on a copy of the database, whose tables it may change."""
    with connected_to(databases.copied(before_and_after[1], folder)):
        yield
