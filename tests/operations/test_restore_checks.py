"""`restore` takes only the schema of this version and whole rows, and shows how many there are."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import call_command

from botpenguin.operations import schemas
from tests.operations.databases import ask, changing, manage, refusal
from tests.operations.tampering import STEAL, TAMPERED

# In one process, since each process needs seconds for the schema of this version.
pytestmark = [pytest.mark.resilience, pytest.mark.xdist_group("restoring")]
UNIQUE = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE UNIQUE%'"


@pytest.mark.usefixtures("kept")
def test_what_is_not_the_schema_of_this_version_or_has_broken_rows_is_refused(backup: Path, tmp_path: Path) -> None:
    said, expected = {}, {}
    for number, (name, (statements, sentence)) in enumerate(TAMPERED.items()):
        tampered = tmp_path / f"tampered-{number}"
        shutil.copy(backup, tampered)
        with changing(tampered) as database:
            for statement in statements:
                database.execute(statement)

        expected[name] = f"Nothing was restored. {sentence}"
        said[name] = refusal("restore", str(tampered), "--noinput")[: len(expected[name])]

    assert said == expected


@pytest.mark.usefixtures("kept")
def test_all_that_is_missing_is_counted_and_some_of_it_named(backup: Path) -> None:
    indexes = [name for (name,) in ask(backup, UNIQUE)]
    with changing(backup) as database:
        for name in indexes:
            database.execute(f"DROP INDEX {name}")

    refused = refusal("restore", str(backup), "--noinput")

    assert refused.count("is missing") == 10
    assert refused.endswith(f"; and {len(indexes) - 10} more.")


@pytest.mark.usefixtures("kept")
def test_an_older_backup_that_lacks_what_a_migration_changes_is_refused_with_a_sentence(backup: Path) -> None:
    with schemas.connected_to(backup):
        call_command("migrate", "developers", "0006", verbosity=0)
    with changing(backup) as database:
        database.execute("DROP TABLE developers_apitoken")

    assert refusal("restore", str(backup), "--noinput") == (
        "Nothing was restored. It cannot be brought up to date: no such table: developers_apitoken."
    )


@pytest.mark.usefixtures("kept")
def test_a_trigger_does_not_run_while_an_older_backup_is_brought_up_to_date(backup: Path) -> None:
    with schemas.connected_to(backup):
        call_command("migrate", "developers", "0006", verbosity=0)
    with changing(backup) as database:
        database.execute(STEAL.format("developers_apitoken"))

    assert refusal("restore", str(backup), "--noinput") == (
        "Nothing was restored. It holds what no version of this project has: trigger steal."
    )
    assert ask(backup, "SELECT DISTINCT is_superuser FROM accounts_user") == [(0,)]


def empty(backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%user%'")
        for (name,) in tables.fetchall():
            database.execute(f'DELETE FROM "{name}"')  # noqa: S608 - names of its own
        database.commit()


def test_it_shows_how_many_rows_there_are_beside_those_that_are_replaced(live: Path, backup: Path) -> None:
    with changing(live) as database:
        database.execute("DELETE FROM account_emailaddress WHERE verified")

    shown = manage("restore", str(backup), "--noinput")

    rows = [line.split() for line in shown.splitlines()]
    for row in (
        ["Rows", "backup", "replaced"],
        ["users", "2", "2"],
        ["API", "access", "tokens", "2", "2"],
        ["email", "addresses", "3", "1"],
    ):
        assert row in rows
    assert not [row for row in rows if row[:1] == ["bots"]]


def test_where_there_is_nothing_to_replace_it_shows_the_rows_of_the_backup_alone(live: Path, backup: Path) -> None:
    live.unlink()

    shown = manage("restore", str(backup), "--noinput")

    rows = [line.split() for line in shown.splitlines()]
    assert (["Rows", "backup"] in rows, ["users", "2"] in rows) == (True, True)


@pytest.mark.usefixtures("kept")
def test_a_backup_without_an_account_is_restored_only_where_somebody_says_so(
    backup: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty(backup)

    assert refusal("restore", str(backup), "--noinput") == (
        "Nothing was restored. There is no account in it. If that is right, add --even-if-empty."
    )


def test_an_empty_backup_is_restored_where_it_is_meant(live: Path, backup: Path) -> None:
    empty(backup)

    shown = manage("restore", str(backup), "--noinput", "--even-if-empty")

    assert ["users", "0", "2"] in [line.split() for line in shown.splitlines()]
    assert ask(live, "SELECT count(*) FROM accounts_user") == [(0,)]
