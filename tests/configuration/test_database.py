"""One place resolves where the database is, and a path is never part of a URL."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote_plus, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from botpenguin import bootstrap
from botpenguin.configuration import database
from botpenguin.database.sqlite3.base import DatabaseWrapper
from tests import server

# Folders as people name them.
ODD_NAMES = [
    *(
        "app #1",
        "what?",
        "100%25 app",
        "50% off",
        "a&b",
        """it's "x\"""",
        "Über uns",
        "日本語",
        "-dash",
        " blank ",
        "c++",
    ),
    *("semi;colon", "$HOME", "a\\b", "new\nline", "%2e%2e", "file:x?mode=ro", "[1]", "~", "a@b:c", "*"),
]
# Of these 0.1.0 read something else.
MANGLED_NAMES = ["app #1", "what?", "100%25 app", "c++", "new\nline", "%41pp", "a#b?c", "x+y%2Bz"]


def make_database(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE anything (id)")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def path_in_0_1_0(path: Path) -> Path:
    return Path(unquote_plus(urlsplit(f"sqlite:///{path}").path[1:]))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_the_default_is_in_the_state_folder_whatever_its_name(tmp_path: Path, name: str) -> None:
    found = database.sqlite_name({"STATE_DIR": str(tmp_path / name)})

    assert found == f"{tmp_path}/{name}/db.sqlite3"
    assert database.file_of(found) == tmp_path / name / "db.sqlite3"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_percent_encoded_path_in_a_url_names_the_same_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "db.sqlite3"

    assert database.sqlite_name({"DATABASE_URL": f"sqlite:///{quote(str(path))}"}) == str(path)
    assert database.sqlite_name({"DATABASE_URL": f"  SQLite:///{quote(str(path), safe='')} "}) == str(path)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).map(lambda t: f"/{t}"))
def test_any_percent_encoded_path_is_read_back(path: str) -> None:
    assert database.sqlite_name({"DATABASE_URL": f"sqlite:///{quote(path)}"}) == str(Path(path))


@pytest.mark.parametrize("path", ["a b", "a+b", "a&b", "it's", "Über", "日本", "a@b", "a:b", "a;b=c", "a[1]", "~"])
def test_other_characters_of_a_path_may_stay_as_they_are(path: str) -> None:
    assert database.sqlite_name({"DATABASE_URL": f"sqlite:////srv/{path}"}) == f"/srv/{path}"


@pytest.mark.parametrize(
    "path", ["a#b", "a?b", "100%", "50% off", "a%2", "a%zz", "a%00b", "a\tb", "db?mode=ro", "a\nb"]
)
def test_characters_with_a_meaning_in_urls_are_refused_raw(path: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL contains .* percent-encode it") as caught:
        database.sqlite_name({"DATABASE_URL": f"sqlite:////srv/hunter2/{path}"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["sqlite://db.sqlite3", "sqlite://", "sqlite:///", "sqlite://:memory:", "sqlite://[x/db"]
)
def test_a_url_of_no_file_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL names no file\. Three slashes"):
        database.sqlite_name({"DATABASE_URL": url})


def test_a_relative_path_begins_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert database.sqlite_name({"DATABASE_URL": "sqlite:///db%231"}) == f"{tmp_path}/db#1"
    assert database.sqlite_name({"STATE_DIR": "what?"}) == f"{tmp_path}/what?/db.sqlite3"
    assert database.sqlite_name({"STATE_DIR": ""}) == str(server.ROOT / "var" / "db.sqlite3")


def test_a_uri_of_sqlite_names_its_file() -> None:
    name = database.sqlite_name({"DATABASE_URL": "sqlite:///file%3A%2Fsrv%2Fdb.sqlite3%3Fmode%3Dro"})

    assert name == "file:/srv/db.sqlite3?mode=ro"
    assert database.file_of(name) == Path("/srv/db.sqlite3")


def test_a_database_on_a_server_has_no_path() -> None:
    assert database.sqlite_name({"DATABASE_URL": "postgres://host/name"}) is None
    database.refuse_misplaced({"DATABASE_URL": "postgres://host/name"})


@pytest.mark.parametrize("name", MANGLED_NAMES)
def test_a_database_that_0_1_0_misplaced_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    state = tmp_path / name
    state.mkdir()
    old, new = path_in_0_1_0(state / "db.sqlite3"), state / "db.sqlite3"
    make_database(old)
    Path(f"{old}-wal").touch()
    monkeypatch.setattr(os, "environ", server.environment(tmp_path, STATE_DIR=str(state)))

    with pytest.raises(ImproperlyConfigured) as caught:
        bootstrap.ensure_secrets()

    assert f"{str(old)!r}" in str(caught.value)
    assert f"It belongs in {str(new)!r}. Stop every server, and run: mv -- " in str(caught.value)
    assert not (tmp_path / ".env").exists()
    command = str(caught.value).partition("run: ")[2].partition(" - If")[0]
    assert os.system(command) == 0  # noqa: S605 - what people will do
    assert new.exists()
    assert Path(f"{new}-wal").exists()
    with pytest.raises(bootstrap.SecretsMissing, match="There is a database, "):
        bootstrap.ensure_secrets()


@pytest.mark.parametrize("name", MANGLED_NAMES)
def test_no_other_file_at_such_a_place_stops_the_start(tmp_path: Path, name: str) -> None:
    state = tmp_path / name
    old = path_in_0_1_0(state / "db.sqlite3")

    old.parent.mkdir(exist_ok=True)
    old.write_text("SQLite, a poem")
    database.refuse_misplaced({"STATE_DIR": str(state)})

    old.unlink()
    make_database(old)
    make_database(state / "db.sqlite3")
    database.refuse_misplaced({"STATE_DIR": str(state)})


def test_the_database_of_another_copy_stops_no_start(tmp_path: Path) -> None:
    make_database(tmp_path / "100% app" / "var" / "db.sqlite3")
    (tmp_path / "100% app" / "manage.py").touch()

    database.refuse_misplaced({"STATE_DIR": str(tmp_path / "100%25 app" / "var")})


def test_a_url_that_0_1_0_read_otherwise_stops_the_start_too(tmp_path: Path) -> None:
    make_database(tmp_path / "a b")
    make_database(tmp_path / "app ")

    with pytest.raises(ImproperlyConfigured, match=r"^Version 0\.1\.0 kept the database in .*a b'"):
        database.refuse_misplaced({"DATABASE_URL": f"sqlite:///{tmp_path}/a+b"})
    with pytest.raises(ImproperlyConfigured, match=r"percent-encode it.* Version 0\.1\.0 kept .*app ': move it"):
        database.refuse_misplaced({"DATABASE_URL": f"sqlite:///{tmp_path}/app #1/db"})


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_only_the_owner_reads_a_database_and_what_is_beside_it(tmp_path: Path, umask: int) -> None:
    name = str(tmp_path / "db.sqlite3")
    before = os.umask(umask)
    try:
        wrapper = DatabaseWrapper({"NAME": name, "OPTIONS": {}})
        with closing(wrapper.get_new_connection(wrapper.get_connection_params())) as connection:
            connection.executescript(
                "PRAGMA journal_mode=WAL; CREATE TABLE anything (id); INSERT INTO anything VALUES (1)"
            )
            connection.commit()

            modes = {path.name: oct(mode(path)) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)

    assert modes == dict.fromkeys(("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm"), "0o600")


def test_a_database_with_a_wider_mode_becomes_private(tmp_path: Path) -> None:
    make_database(tmp_path / "db.sqlite3")
    log = tmp_path / "db.sqlite3-wal"
    log.touch()
    (tmp_path / "1.log").touch()
    for path in tmp_path.iterdir():
        path.chmod(0o666)

    database.make_private(*database.files_of(str(tmp_path / "db.sqlite3")), tmp_path / "1.log", tmp_path / "gone.log")

    assert {mode(path) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("name", [":memory:", "file:memory?mode=memory", "/nowhere/at/all/db.sqlite3"])
def test_where_no_file_can_be_none_is_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)

    database.create_private(name)

    assert list(tmp_path.iterdir()) == []
    assert not Path(name).exists()
