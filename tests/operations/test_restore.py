"""`restore`, on a SQLite database of its own."""

import secrets
import shutil
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from botpenguin.operations import backups, schemas
from tests.operations.databases import ask, changing, damage, manage, names, open_database, refusal, set_aside
from tests.redis import in_redis
from tests.server import free_port

# In one process, since each process needs seconds for the schema of this version.
pytestmark = [pytest.mark.resilience, pytest.mark.xdist_group("restoring")]


def test_a_restore_replaces_every_token_ends_sessions_and_changes_of_email_and_keeps_what_was_there(
    live: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = dict(ask(backup, "SELECT user_id, hex(digest) FROM developers_apitoken"))

    monkeypatch.setattr("sys.stdin", StringIO("yes\n"))

    restored = manage("restore", str(backup))

    assert "Tokens replaced: 2. The old ones are refused, and their owners are notified by email.\n" in restored
    assert "Sessions ended: 1. Mails dropped that waited in the backup: 1; most" in restored
    assert "also those that have been changed or used since" in restored
    new = dict(ask(live, "SELECT user_id, hex(digest) FROM developers_apitoken"))
    assert set(new) == set(old)
    assert set(new.values()) & set(old.values()) == set()
    assert ask(live, "SELECT generation FROM developers_apitoken ORDER BY generation") == [(2,), (3,)]
    assert ask(live, "SELECT hex(digest) FROM developers_revokedtoken WHERE reason = 'restored' ORDER BY user_id") == [
        (digest,) for _owner, digest in sorted(old.items())
    ]
    assert ask(live, "SELECT kind, client FROM accounts_securityevent WHERE detail = 'restored'") == [
        ("token-revoked", "manage.py restore")
    ] * len(old)
    assert ask(live, "SELECT count(*) FROM accounts_session") == [(0,)]
    assert ask(live, "SELECT count(*) FROM account_emailaddress WHERE NOT verified") == [(0,)]
    aside = set_aside(live)
    assert str(aside) in restored
    assert ask(aside, "SELECT DISTINCT name FROM accounts_user") == [("changed since",)]
    assert aside.stat().st_mode & 0o777 == 0o600
    assert names(live) == {"db.sqlite3", aside.name}


def test_a_restore_empties_the_cache_and_the_counts_of_tries(live: Path, backup: Path) -> None:
    with changing(backup) as database:
        database.execute("INSERT INTO accounts_counter VALUES ('password_attempt:x', 5, 9000000000000)")
        database.execute("INSERT INTO accounts_cachedvalue VALUES ('x', 'no JSON', 9000000000000)")

    manage("restore", str(backup), "--noinput")

    tables = "SELECT (SELECT count(*) FROM accounts_counter), (SELECT count(*) FROM accounts_cachedvalue)"
    assert ask(live, tables) == [(0, 0)]


@pytest.mark.usefixtures("kept")
def test_where_the_cache_cannot_be_emptied_nothing_is_restored(live: Path, backup: Path, settings: Settings) -> None:
    settings.CACHES = in_redis(f"redis://127.0.0.1:{free_port()}/0")

    refused = refusal("restore", str(backup), "--noinput")

    assert refused.startswith("Nothing was restored: the cache cannot be emptied: ")


def test_a_restore_gives_no_id_a_second_time_and_sends_no_mail_a_second_time(live: Path, backup: Path) -> None:
    """A Message-ID contains the id of an event, and a confirmation link the id of an address."""
    manage("restore", str(backup), "--noinput")

    events = ask(live, "SELECT id FROM accounts_securityevent WHERE detail = 'restored' ORDER BY id")
    mails = ask(live, "SELECT message_id FROM post_office_email ORDER BY id")
    assert min(events) > (10_000_000,)
    assert mails == [(f"<security-event.{number}@app.example.com>",) for (number,) in events]
    [(tables,)] = ask(live, "SELECT count(*) FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
    assert ask(live, "SELECT count(*), min(seq) >= 10000000 FROM sqlite_sequence") == [(tables, 1)]


def test_with_keep_tokens_they_stay_and_it_says_what_that_undoes(live: Path, backup: Path) -> None:
    tokens = "SELECT user_id, hex(digest), generation FROM developers_apitoken"

    restored = manage("restore", str(backup), "--noinput", "--keep-tokens")

    [warning] = [line for line in restored.splitlines() if line.startswith("WARNING")]
    assert warning.startswith("WARNING: every revoke answered since 20")
    assert warning.endswith(
        " UTC is undone. Tokens that were revoked, reported as exposed or replaced with a password since then open the "
        "API again. In the database that was there, 1 of them had been replaced. `manage.py revoke_tokens --all` "
        "replaces them all."
    )
    assert "Sessions ended: 1." in restored
    assert ask(live, tokens) == ask(backup, tokens)


@pytest.mark.usefixtures("kept")
def test_what_cannot_be_restored_is_refused_with_a_sentence(live: Path, backup: Path, tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("text", "empty", "damaged", "foreign", "newer", "missing")}
    files["text"].write_text("This is no database." * 1000)
    files["empty"].touch()
    damage(files["damaged"])
    with closing(sqlite3.connect(files["foreign"])) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    shutil.copy(backup, files["newer"])
    with changing(files["newer"]) as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('developers', '0999_later', '2030-01-01')"
        )

    shown = {name: refusal("restore", str(path), "--noinput") for name, path in files.items()}

    assert shown["text"] == "Nothing was restored. SQLite cannot read it: file is not a database."
    assert shown["empty"] == shown["foreign"] == "Nothing was restored. It is not a database of this project."
    assert shown["damaged"].startswith("Nothing was restored. SQLite finds it damaged: ")
    assert shown["newer"] == (
        "Nothing was restored. It is of a newer version, which is to restore it: this one does not know "
        "developers.0999_later."
    )
    assert shown["missing"].startswith("Nothing was restored: [Errno 2] No such file or directory: ")
    assert refusal("restore", str(live)) == f"Nothing was restored. {live} is the database itself."
    assert refusal("restore", "--after-pg-restore") == (
        "--after-pg-restore is for PostgreSQL. Name the backup that is to be restored."
    )


@pytest.mark.usefixtures("kept")
def test_a_database_that_anybody_has_open_is_not_replaced(live: Path, backup: Path) -> None:
    with changing(live) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("SELECT count(*) FROM accounts_user").fetchone()
        refused = refusal("restore", str(backup), "--noinput")

    assert refused == (
        f"Nothing was restored. {live} is in use, or cannot be written: database is locked. Stop every server, mail "
        "worker and other command first."
    )


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("said", ["no", "nothing"])
def test_only_a_yes_restores(
    backup: Path, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("no\n" if said == "no" else ""))

    refused = refusal("restore", str(backup))

    assert refused == f"Nothing was restored. You said {said}."
    asked = capsys.readouterr().out
    assert f"{backup} takes the place of " in asked
    assert "Every token is replaced by a fresh one; programs that use one stop until they are given it." in asked


@pytest.mark.usefixtures("kept")
def test_a_backup_whose_keys_are_missing_is_refused(backup: Path, settings: Settings) -> None:
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32)]

    refused = refusal("restore", str(backup), "--noinput")

    assert refused.startswith("Nothing was restored. 1 authenticator apps and sets of recovery codes")
    assert "Put back the TOKEN_KEYS that this database was used with." in refused


@pytest.mark.no_cover
def test_a_backup_of_an_older_version_is_brought_up_to_date(live: Path, backup: Path) -> None:
    with schemas.connected_to(backup):
        call_command("migrate", "developers", "0006", verbosity=0)
    columns = "SELECT count(*) FROM pragma_table_info('developers_apitoken') WHERE name = 'binding'"
    older = ask(backup, columns)

    manage("restore", str(backup), "--noinput", "--keep-tokens")

    assert (older, ask(live, columns)) == ([(0,)], [(1,)])
    assert ask(live, "SELECT count(*) FROM developers_apitoken WHERE binding IS NULL") == [(0,)]


def test_a_copy_made_by_hand_is_restored_with_the_log_beside_it(live: Path, tmp_path: Path) -> None:
    with changing(live) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("UPDATE accounts_user SET name = 'in the log'")
        for suffix in ("", "-wal"):
            shutil.copy(f"{live}{suffix}", tmp_path / f"by-hand{suffix}")

    manage("restore", str(tmp_path / "by-hand"), "--noinput", "--keep-tokens")

    assert ask(live, "SELECT DISTINCT name FROM accounts_user") == [("in the log",)]


def test_a_database_that_cannot_be_opened_is_moved_aside(live: Path, backup: Path) -> None:
    live.write_bytes(b"broken" * 1000)

    restored = manage("restore", str(backup), "--noinput", "--keep-tokens")

    aside = set_aside(live)
    assert "How many those are is unknown here." in restored
    assert aside.read_bytes() == b"broken" * 1000
    assert names(live) == {"db.sqlite3", aside.name}
    assert ask(live, "SELECT count(*) FROM accounts_user") == [(2,)]


def test_where_there_is_no_database_the_backup_becomes_it(live: Path, backup: Path) -> None:
    """SQLite would apply the left-over log of another database to this one."""
    live.unlink()
    live.with_name("db.sqlite3-wal").write_bytes(b"log")

    restored = manage("restore", str(backup), "--noinput")

    assert f"\n{backup} is restored. There was no database before.\nTokens replaced: 2." in restored
    aside = set_aside(live)
    assert aside.read_bytes() == b"log"
    assert ask(live, "SELECT count(*) FROM accounts_user") == [(2,)]


def test_paths_are_no_urls_and_what_is_restored_is_for_its_owner_only(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = tmp_path / """app #1 what? 100%25 it's "x" Über 日本語""" / "db.sqlite3"
    live.parent.mkdir()
    open_database(live, monkeypatch)
    moved = backup.rename(live.with_name("a#b?c%25.sqlite3"))
    moved.chmod(0o644)

    manage("restore", str(moved), "--noinput")

    assert ask(live, "SELECT count(*) FROM accounts_user") == [(2,)]
    assert live.stat().st_mode & 0o777 == 0o600
    assert names(live) == {"db.sqlite3", moved.name}


def test_a_damaged_database_is_kept_as_it_is(live: Path, backup: Path) -> None:
    live.unlink()
    damage(live)

    restored = manage("restore", str(backup), "--noinput", "--keep-tokens")

    assert "How many those are is unknown here." in restored
    aside = set_aside(live)
    with pytest.raises(backups.Unusable, match="SQLite finds it damaged: "):
        backups.check(aside)
