"""A backup of release 0.1.0, which is a SQLite file, is restored by the release of today."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django.plugin import DjangoDbBlocker

from tests.platform.calls import Caller
from tests.upgrades import databases
from tests.upgrades.databases import KEPT, connected_to

pytestmark = [pytest.mark.release, pytest.mark.xdist_group("upgrades")]

ALICE, BOB = "alice@example.net", "bob@example.org"


@pytest.fixture
def backup(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A backup of 0.1.0, and an empty folder that it is restored into."""
    with django_db_blocker.unblock():
        path = databases.load(tmp_path)
        (tmp_path / "var").mkdir()
        with connected_to(str(tmp_path / "var" / "db.sqlite3")):
            yield path


@pytest.mark.parametrize(("options", "status"), [([], 401), (["--keep-tokens"], 200)])
def test_a_backup_of_0_1_0_is_restored(backup: str, options: list[str], status: int) -> None:
    call_command("restore", backup, "--noinput", *options, stdout=StringIO())

    assert [Caller(KEPT["tokens"][email]).send("GET", "/token").status_code for email in (ALICE, BOB)] == [status] * 2
    assert Caller(KEPT["revoked"]["exposed"]).send("GET", "/token").status_code == 401
    rows = databases.all_rows()
    assert [len(rows[table]) for table in ("accounts_user", "platform_contact", "outbound_outboundapi")] == [7, 5, 2]
