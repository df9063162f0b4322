"""`backup` and `restore` as commands, each on a SQLite database of its own."""

import json
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from developers import backups
from tests.resilience.conftest import write_secrets
from tests.server import ROOT, Server

pytestmark = [pytest.mark.resilience]

PREPARE = """
from django.core.management import call_command
from accounts.clients import Client
from accounts.models import Session, User
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from developers import issuance
from django.utils import timezone

call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
for name in ("alice", "bob"):
    user = User.objects.create_user(f"{name}@example.com")
    issuance.issue(user, Client("127.0.0.1", "tests"))
issuance.revoke(user, 1, Client("127.0.0.1", "tests"), even_if_used=True)
Session.objects.create(session_key="x", session_data="", expire_date=timezone.now(), user=user)
TOTP.activate(user, "A" * 32)
"""
# Each in turn; prints what it ends with, as a line of JSON.
RUN_EACH = """
import io, json
from django.core.management import CommandError, call_command

for arguments in json.loads({commands!r}):
    try:
        call_command(*arguments, stdout=io.StringIO())
    except CommandError as error:
        print(json.dumps(str(error)))
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with secrets, and a database in which Bob's token was revoked once and a mail about it waits."""
    folder = tmp_path_factory.mktemp("prepared")
    write_secrets(folder)
    (folder / "var").mkdir()
    made = Server(folder).manage("shell", "-v0", "-c", PREPARE)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def server(prepared: Path, tmp_path: Path) -> Server:
    """A server that has not been started, and its state."""
    folder = tmp_path / "server"
    shutil.copytree(prepared, folder)
    return Server(folder)


def database(server: Server) -> Path:
    return server.folder / "var" / "db.sqlite3"


@pytest.fixture
def backup(server: Server, tmp_path: Path) -> Path:
    """A backup from before Bob's second revoke and the third account."""
    path = tmp_path / "backup.sqlite3"
    backups.take(database(server), path)
    with changing(database(server)) as connection:
        connection.execute("UPDATE developers_apitoken SET generation = 3 WHERE generation = 2")
        connection.execute("UPDATE accounts_user SET name = 'changed since'")
    return path


def changing(path: Path) -> Any:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.create_function("REGEXP", 2, lambda pattern, text: True)
    return closing(connection)


def ask(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def names(server: Server) -> set[str]:
    """What lies where the database lies."""
    return {path.name for path in database(server).parent.iterdir()}


def run_each(server: Server, *commands: list[str]) -> list[str]:
    """Run commands that are refused, in one process, and return why."""
    ran = server.manage("shell", "-v0", "-c", RUN_EACH.format(commands=json.dumps(commands)))
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def answer(server: Server, text: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `manage.py` with an answer to what it asks."""
    command = [sys.executable, "manage.py", *arguments]
    environment = server.environment
    return subprocess.run(
        command, cwd=ROOT, env=environment, input=text, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def kept(server: Server) -> Iterator[None]:
    """Nothing is changed by what is refused, and nothing left behind."""
    before = ask(database(server), "SELECT name FROM accounts_user"), names(server)
    yield
    assert (ask(database(server), "SELECT name FROM accounts_user"), names(server)) == before


def test_a_backup_is_whole_for_its_owner_only_and_says_what_it_does_not_hold(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "backup.sqlite3"
    with changing(database(server)) as connection:
        # A writer in the middle of something.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE accounts_user SET name = 'not committed'")
        made = server.manage("backup", str(path))

    assert made.stderr == ""
    assert made.stdout == (
        f"The database is backed up to {path}, {path.stat().st_size:,} bytes.\nIt does not hold .env. Without the "
        "SECRET_KEY and TOKEN_KEYS there no token in it can be copied or used: keep .env too, and apart from the "
        "backup.\n"
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert ask(path, "SELECT email, name FROM accounts_user") == [("alice@example.com", ""), ("bob@example.com", "")]
    assert ask(path, "PRAGMA journal_mode") == [("delete",)]
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["backup.sqlite3"]


def test_a_backup_into_a_folder_has_a_name_with_its_moment_and_none_takes_the_place_of_a_file(
    server: Server, tmp_path: Path
) -> None:
    folder, there = tmp_path / "backups", tmp_path / "there"
    folder.mkdir()
    there.write_text("precious")

    refusals = run_each(
        server, ["backup", str(folder)], ["backup", str(there)], ["backup", str(tmp_path / "nowhere" / "backup")]
    )

    assert [path.match("botpenguin-20??????T??????Z.sqlite3") for path in folder.iterdir()] == [True]
    assert [line for line in refusals if "exists" in line] == [
        f"{there} exists, and a backup never takes the place of a file. Name another."
    ]
    assert refusals[-1].startswith("No backup was made. [Errno 2] No such file or directory")
    assert there.read_text() == "precious"


def test_a_damaged_database_makes_no_backup(tmp_path: Path) -> None:
    damaged, to = tmp_path / "damaged", tmp_path / "backup"
    damage(damaged)

    with pytest.raises(backups.Unusable, match="SQLite finds it damaged: "):
        backups.take(damaged, to)

    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


def damage(path: Path) -> None:
    """Make a database that opens, and of which a page in the middle is not what it was."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE rows (value TEXT)")
        connection.executemany("INSERT INTO rows VALUES (?)", [("x" * 500,)] * 200)
        connection.commit()
    with path.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xff" * 4096)


def test_a_restore_replaces_every_token_ends_every_session_and_keeps_what_was_there(
    server: Server, backup: Path
) -> None:
    old = dict(ask(backup, "SELECT user_id, hex(digest) FROM developers_apitoken"))

    restored = answer(server, "yes\n", "restore", str(backup))

    assert restored.returncode == 0, restored.stderr
    assert "Every token is replaced by a fresh one; programs that use one stop until they are given it." in (
        restored.stdout
    )
    assert "2 tokens replaced. The old ones are refused, and their owners are told by mail.\n" in restored.stdout
    assert "1 sessions ended. 1 mails that waited in the backup are dropped" in restored.stdout
    assert "also those that have been changed or used since" in restored.stdout
    live = database(server)
    new = dict(ask(live, "SELECT user_id, hex(digest) FROM developers_apitoken"))
    assert set(new) == set(old)
    assert set(new.values()) & set(old.values()) == set()
    assert ask(live, "SELECT generation FROM developers_apitoken ORDER BY generation") == [(2,), (3,)]
    assert ask(live, "SELECT hex(digest) FROM developers_revokedtoken WHERE reason = 'restored' ORDER BY user_id") == [
        (digest,) for _owner, digest in sorted(old.items())
    ]
    assert ask(live, "SELECT kind, client FROM developers_tokenevent WHERE note = 'restored'") == [
        ("revoked", "manage.py restore")
    ] * len(old)
    assert ask(live, "SELECT count(*) FROM accounts_session") == [(0,)]
    [aside] = [path for path in live.parent.iterdir() if ".replaced-" in path.name]
    assert str(aside) in restored.stdout
    assert ask(aside, "SELECT DISTINCT name FROM accounts_user") == [("changed since",)]
    assert aside.stat().st_mode & 0o777 == 0o600
    assert names(server) == {"db.sqlite3", aside.name}


def test_a_restore_gives_no_id_a_second_time_and_sends_no_mail_a_second_time(server: Server, backup: Path) -> None:
    """A mail's Message-ID is made of its event's id, and a link that confirms an address of the address's."""
    server.manage("restore", str(backup), "--noinput")

    live = database(server)
    events = ask(live, "SELECT id FROM developers_tokenevent WHERE note = 'restored' ORDER BY id")
    mails = ask(live, "SELECT message_id FROM post_office_email ORDER BY id")
    assert min(events) > (10_000_000,)
    assert mails == [(f"<token-event.{number}@localhost>",) for (number,) in events]
    [(tables,)] = ask(live, "SELECT count(*) FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
    assert ask(live, "SELECT count(*), min(seq) >= 10000000 FROM sqlite_sequence") == [(tables, 1)]


def test_with_keep_tokens_they_stay_and_it_says_what_that_undoes(server: Server, backup: Path) -> None:
    tokens = "SELECT user_id, hex(digest), generation FROM developers_apitoken"

    restored = server.manage("restore", str(backup), "--noinput", "--keep-tokens")

    [warning] = [line for line in restored.stdout.splitlines() if line.startswith("WARNING")]
    assert warning.startswith("WARNING: every revoke answered since 20")
    assert warning.endswith(
        " UTC is undone. Tokens that were revoked, reported as exposed or replaced with a password since then open the "
        "API again. In the database that was there, 1 of them had been replaced. `manage.py revoke_tokens --all` "
        "replaces them all."
    )
    assert "1 sessions ended." in restored.stdout
    assert ask(database(server), tokens) == ask(backup, tokens)


def test_what_cannot_be_restored_is_refused_with_a_sentence(
    server: Server, backup: Path, tmp_path: Path, kept: None
) -> None:
    files = {name: tmp_path / name for name in ("text", "empty", "damaged", "foreign", "newer", "missing")}
    files["text"].write_text("This is no database." * 1000)
    files["empty"].touch()
    damage(files["damaged"])
    with closing(sqlite3.connect(files["foreign"])) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    shutil.copy(backup, files["newer"])
    with changing(files["newer"]) as connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('developers', '0999_later', '2030-01-01')"
        )

    refusals = run_each(
        server,
        *(["restore", str(path), "--noinput"] for path in files.values()),
        ["restore", str(database(server)), "--noinput"],
        ["restore", "--after-pg-restore"],
    )

    told = dict(zip([*files, "itself", "of another kind"], refusals, strict=True))
    assert told["text"] == "Nothing was restored. SQLite cannot read it: file is not a database."
    assert told["empty"] == told["foreign"] == "Nothing was restored. It is not a database of this project."
    assert told["damaged"].startswith("Nothing was restored. SQLite finds it damaged: ")
    assert told["newer"] == (
        "Nothing was restored. It is of a newer version, which is to restore it: this one does not know "
        "developers.0999_later."
    )
    assert told["missing"].startswith("Nothing was restored: [Errno 2] No such file or directory: ")
    assert told["itself"] == f"Nothing was restored. {database(server)} is the database itself."
    assert told["of another kind"] == ("--after-pg-restore is for PostgreSQL. Name the backup that is to be restored.")


def test_a_database_that_anybody_has_open_is_not_replaced(server: Server, backup: Path, kept: None) -> None:
    with changing(database(server)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("SELECT count(*) FROM accounts_user").fetchone()
        refused = server.manage("restore", str(backup), "--noinput")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"CommandError: Nothing was restored. {database(server)} is in use. Stop every server, mail worker and other "
        "command first.\n"
    )


@pytest.mark.parametrize(("text", "said"), [("no\n", "no"), ("", "nothing")])
def test_only_a_yes_restores(server: Server, backup: Path, text: str, said: str, kept: None) -> None:
    refused = answer(server, text, "restore", str(backup))

    assert refused.returncode == 1
    assert refused.stderr == f"CommandError: Nothing was restored. You said {said}.\n"
    assert f"{backup} takes the place of {database(server)}. The newest entry in it is of 20" in refused.stdout


def test_a_backup_whose_keys_are_missing_is_refused(server: Server, backup: Path, kept: None) -> None:
    refused = server.manage("restore", str(backup), "--noinput", TOKEN_KEYS=secrets.token_urlsafe(32))

    assert refused.returncode == 1
    assert "Nothing was restored. 1 authenticator apps and sets of recovery codes" in refused.stderr
    assert "Put back the TOKEN_KEYS that this database was used with." in refused.stderr


def test_a_backup_of_an_older_version_is_brought_up_to_date(server: Server, backup: Path) -> None:
    latest = "SELECT count(*) FROM django_migrations WHERE app = 'developers' AND name = '0006_restored_reason'"
    with changing(backup) as connection:
        connection.execute(latest.replace("SELECT count(*)", "DELETE"))

    restored = server.manage("restore", str(backup), "--noinput")

    assert restored.returncode == 0, restored.stderr
    assert ask(database(server), latest) == [(1,)]


def test_a_copy_made_by_hand_is_restored_with_the_log_beside_it(server: Server, tmp_path: Path) -> None:
    with changing(database(server)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("UPDATE accounts_user SET name = 'in the log'")
        for suffix in ("", "-wal"):
            shutil.copy(f"{database(server)}{suffix}", tmp_path / f"by-hand{suffix}")

    restored = server.manage("restore", str(tmp_path / "by-hand"), "--noinput", "--keep-tokens")

    assert restored.returncode == 0, restored.stderr
    assert ask(database(server), "SELECT DISTINCT name FROM accounts_user") == [("in the log",)]


def test_a_database_that_cannot_be_opened_is_moved_aside(server: Server, backup: Path) -> None:
    live = database(server)
    live.write_bytes(b"broken" * 1000)

    restored = server.manage("restore", str(backup), "--noinput", "--keep-tokens")

    [aside] = [name for name in names(server) if ".replaced-" in name]
    assert "How many of them that are cannot be told here." in restored.stdout
    assert live.with_name(aside).read_bytes() == b"broken" * 1000
    assert names(server) == {"db.sqlite3", aside}
    assert ask(live, "SELECT count(*) FROM accounts_user") == [(2,)]


def test_where_there_is_no_database_the_backup_becomes_it(server: Server, backup: Path) -> None:
    """SQLite would take a log that another database has left behind for the log of this one."""
    live = database(server)
    live.unlink()
    live.with_name("db.sqlite3-wal").write_bytes(b"log")

    restored = server.manage("restore", str(backup), "--noinput")

    assert restored.stdout.startswith(f"{backup} is restored. There was no database before.\n2 tokens replaced.")
    [aside] = [name for name in names(server) if ".replaced-" in name]
    assert live.with_name(aside).read_bytes() == b"log"
    assert ask(live, "SELECT count(*) FROM accounts_user") == [(2,)]


def test_a_damaged_database_is_kept_as_it_is(server: Server, backup: Path) -> None:
    database(server).unlink()
    damage(database(server))

    restored = server.manage("restore", str(backup), "--noinput", "--keep-tokens")

    assert restored.returncode == 0, restored.stderr
    assert "How many of them that are cannot be told here." in restored.stdout
    [aside] = [name for name in names(server) if ".replaced-" in name]
    with pytest.raises(backups.Unusable, match="SQLite finds it damaged: "):
        backups.check(database(server).with_name(aside))


def test_for_postgresql_the_commands_say_how_and_end_with_1(server: Server, tmp_path: Path) -> None:
    url = "postgres://me:swordfish@db.example.com:5433/panel?sslmode=require"

    made = server.manage("backup", "/backups/my dump", DATABASE_URL=url)
    restored = server.manage("restore", "/backups/my dump", DATABASE_URL=url)

    where = "-U me -h db.example.com -p 5433"
    assert (made.returncode, restored.returncode) == (1, 1)
    assert (
        f"(umask 077 && env PGSSLMODE=require pg_dump {where} --format=custom '--file=/backups/my dump' panel)"
        in made.stderr
    )
    assert f"2. env PGSSLMODE=require createdb {where} panel_restored\n" in restored.stderr
    assert f"pg_restore {where} --exit-on-error --single-transaction --no-owner --dbname=panel_restored" in (
        restored.stderr
    )
    assert "swordfish" not in made.stderr + restored.stderr
