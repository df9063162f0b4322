"""`backup` on a SQLite database of its own, and both commands on PostgreSQL."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import environ
import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from botpenguin.operations import backups
from tests.operations.databases import ask, changing, damage, manage, refusal, stopped_server
from tests.server import ROOT

# In one process, since each process needs seconds for the schema of this version.
pytestmark = [pytest.mark.resilience, pytest.mark.xdist_group("restoring")]


def test_a_backup_is_whole_for_its_owner_only_and_says_what_it_does_not_hold(live: Path, tmp_path: Path) -> None:
    path = tmp_path / "backup.sqlite3"
    with changing(live) as database:
        # An open transaction.
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE accounts_user SET name = 'not committed'")
        output = manage("backup", str(path))

    assert output == (
        f"The database is backed up to {path}, {path.stat().st_size:,} bytes.\nIt does not hold .env. Without the "
        "SECRET_KEY and TOKEN_KEYS there no token in it can be copied or used: keep .env too, and apart from the "
        "backup.\n"
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert ask(path, "SELECT email, name FROM accounts_user") == [("alice@example.com", ""), ("bob@example.com", "")]
    assert ask(path, "PRAGMA journal_mode") == [("delete",)]
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["backup.sqlite3"]


def test_a_backup_into_a_folder_has_a_name_with_its_time(live: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    manage("backup", str(folder))

    assert [path.match("botpenguin-20??????T??????Z.sqlite3") for path in folder.iterdir()] == [True]


def test_a_backup_takes_the_place_of_no_file(live: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("precious")

    refused = refusal("backup", str(there))

    assert refused == f"{there} exists, and a backup never takes the place of a file. Name another."
    assert there.read_text() == "precious"
    assert refusal("backup", str(tmp_path / "nowhere" / "backup")).startswith(
        "No backup was made. [Errno 2] No such file or directory"
    )


@pytest.mark.parametrize(
    "name",
    ["app #1", "what?", "100%25 app", "50% off", "a&b", """it's "x\"""", "Über 日本語", "-dash", "file:x?mode=ro"],
)
def test_paths_of_a_database_and_of_its_backup_are_no_urls(tmp_path: Path, name: str) -> None:
    database, to = tmp_path / name / "db.sqlite3", tmp_path / name / f"{name}.sqlite3"
    database.parent.mkdir()
    with changing(database) as connection:
        connection.execute("CREATE TABLE rows (value TEXT)")

    backups.take(database, to)

    assert ask(to, "SELECT name FROM sqlite_master") == [("rows",)]
    assert to.stat().st_mode & 0o777 == 0o600
    assert sorted(tmp_path.rglob("*")) == sorted([database.parent, database, to])


def test_a_damaged_database_makes_no_backup(tmp_path: Path) -> None:
    damaged, to = tmp_path / "damaged", tmp_path / "backup"
    damage(damaged)

    with pytest.raises(backups.Unusable, match="SQLite finds it damaged: "):
        backups.take(damaged, to)

    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


def test_what_a_killed_backup_left_is_removed_after_a_day(live: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    old, new = (left_by_a_killed_backup(live, folder / name) for name in ("old.sqlite3", "new.sqlite3"))
    journal = old.with_name(f"{old.name}-journal")
    of_another_program = folder / ".old.sqlite3.part"
    for path in (journal, of_another_program):
        path.touch()
    a_day_ago = time.time() - backups.SECONDS_UNTIL_ABANDONED - 1
    for path in (old, journal, of_another_program):
        os.utime(path, (a_day_ago, a_day_ago))

    manage("backup", str(folder / "old.sqlite3"))

    assert set(folder.iterdir()) == {folder / "old.sqlite3", new, of_another_program}


def left_by_a_killed_backup(live: Path, to: Path) -> Path:
    """Kill a backup before its copy is on disk, and return the one file that it leaves."""
    there = set(to.parent.iterdir())
    code = (
        "import os, sys; from pathlib import Path; from botpenguin.operations import backups; "
        "os.fsync = lambda _: os.kill(os.getpid(), 9); backups.take(*map(Path, sys.argv[1:]))"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(live), str(to)], cwd=ROOT, check=False)
    [left] = {*to.parent.iterdir()} - there
    assert (killed.returncode, left.name.startswith(f".{to.name}.")) == (-signal.SIGKILL, True)
    return left


POSTGRESQL = "postgres://me:swordfish@db.example.com:5433/panel?sslmode=require"


@pytest.fixture
def settings_for_postgresql(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the settings name a PostgreSQL database. Nothing connects to it."""
    usual = connections["default"]
    named = connections.configure_settings({"default": environ.Env.db_url_config(POSTGRESQL)})
    monkeypatch.setitem(connections.settings, "default", named["default"])
    connections["default"] = connections.create_connection("default")
    yield
    connections["default"] = usual


@pytest.mark.usefixtures("settings_for_postgresql")
def test_for_postgresql_the_commands_print_the_steps() -> None:
    made = refusal("backup", "/backups/my dump")
    restored = refusal("restore", "/backups/my dump")

    where = "-U me -h db.example.com -p 5433"
    assert (
        f"(umask 077 && env PGSSLMODE=require pg_dump {where} --format=custom '--file=/backups/my dump' panel)" in made
    )
    assert f"2. env PGSSLMODE=require createdb {where} panel_restored\n" in restored
    assert f"pg_restore {where} --exit-on-error --single-transaction --no-owner --dbname=panel_restored" in restored
    assert "swordfish" not in made + restored


@pytest.mark.usefixtures("settings_for_postgresql")
def test_behind_a_pooler_the_commands_print_the_address_of_postgresql_itself(settings: Settings) -> None:
    direct = environ.Env.db_url_config("postgres://owner:swordfish@primary.example.com/panel")
    settings.DIRECT_DATABASE = direct | {"OPTIONS": {}}

    made = refusal("backup", "/backups/my dump")
    restored = refusal("restore", "/backups/my dump")

    assert "pg_dump -U owner -h primary.example.com --format=custom" in made
    assert "createdb -U owner -h primary.example.com panel_restored\n" in restored
    assert "4. Change DATABASE_URL and DATABASE_DIRECT_URL: the name of the database is panel_restored now." in restored
    assert "swordfish" not in made + restored


def test_for_postgresql_a_command_in_a_shell_ends_with_1(tmp_path: Path) -> None:
    refused = stopped_server(tmp_path, DATABASE_URL=POSTGRESQL).manage("restore", "/backups/my dump")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("CommandError: Nothing was restored: PostgreSQL's own program does it")
