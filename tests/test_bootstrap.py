"""The first run's secrets: made once, and never beside a database that needs the old ones."""

import fcntl
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from botpenguin import bootstrap
from tests import server

FRESH = re.compile(
    r"# Keep these as safe as the database: without TOKEN_KEYS its tokens are lost\.\n"
    r"SECRET_KEY=[\w-]{64}\nTOKEN_KEYS=[\w-]{43}\n"
)
Bootstrap = Callable[..., Path | None]


@pytest.fixture
def ensure_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bootstrap:
    """Call the function in an environment with only the paths. Return the settings that it adds."""

    def call(*, is_new_database: bool = False, **settings: str) -> Path | None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "environ", server.environment(tmp_path, **settings))
            return bootstrap.ensure_secrets(is_new_database=is_new_database)

    return call


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def make_database(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE anything (id)")
    connection.close()


def test_the_first_run_writes_fresh_secrets_that_only_the_owner_can_read(
    ensure_secrets: Bootstrap, env_file: Path
) -> None:
    written = ensure_secrets()

    assert written == env_file
    assert FRESH.fullmatch(env_file.read_text())
    assert env_file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in env_file.parent.iterdir()) == [".env", "var"]


def test_a_second_run_changes_nothing(ensure_secrets: Bootstrap, env_file: Path) -> None:
    ensure_secrets()
    first = env_file.read_text()

    written = ensure_secrets()

    assert written is None
    assert env_file.read_text() == first


def test_secrets_in_the_environment_are_enough(ensure_secrets: Bootstrap, env_file: Path) -> None:
    written = ensure_secrets(SECRET_KEY="s", TOKEN_KEYS="t")

    assert written is None
    assert not env_file.exists()


def test_a_setting_that_is_there_is_not_written_again(ensure_secrets: Bootstrap, env_file: Path) -> None:
    ensure_secrets(TOKEN_KEYS="t")

    assert re.fullmatch(r"SECRET_KEY=[\w-]{64}\n", env_file.read_text())


@pytest.mark.parametrize("text", ["PORT=9000\n", "PORT=9000"], ids=["whole line", "cut line"])
def test_settings_that_are_in_the_file_already_stay(ensure_secrets: Bootstrap, env_file: Path, text: str) -> None:
    env_file.write_text(text)

    ensure_secrets()

    assert re.fullmatch("PORT=9000\n" + FRESH.pattern, env_file.read_text())
    assert env_file.stat().st_mode & 0o777 == 0o600


def test_of_many_first_runs_at_once_one_makes_the_secrets(tmp_path: Path, env_file: Path) -> None:
    def first_run(number: int) -> str:
        return run_bootstrap(tmp_path).stdout

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(first_run, range(8)))

    assert sum(sentence.startswith("Wrote fresh secrets to") for sentence in said) == 1
    assert FRESH.fullmatch(env_file.read_text())


def test_a_first_run_that_had_to_wait_finds_the_secrets_of_the_other(tmp_path: Path, env_file: Path) -> None:
    command = [sys.executable, "-m", "botpenguin.bootstrap"]
    waiting = re.compile(rf"-> FLOCK .*:{tmp_path.stat().st_ino} ")
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)

    with subprocess.Popen(
        command, cwd=server.ROOT, env=server.environment(tmp_path), stdout=subprocess.PIPE, text=True
    ) as late:
        server.poll(lambda: waiting.search(Path("/proc/locks").read_text()))
        env_file.write_text("SECRET_KEY=s\nTOKEN_KEYS=t\n")
        os.close(folder)
        said, _ = late.communicate(timeout=90)

    assert said == "The secrets are there; nothing is written.\n"
    assert env_file.read_text() == "SECRET_KEY=s\nTOKEN_KEYS=t\n"


def test_beside_a_database_missing_secrets_are_refused(
    ensure_secrets: Bootstrap, env_file: Path, tmp_path: Path
) -> None:
    make_database(tmp_path / "var" / "db.sqlite3")

    with pytest.raises(bootstrap.SecretsMissing) as refusal:
        ensure_secrets()

    assert str(refusal.value) == (
        f"There is a database, {tmp_path}/var/db.sqlite3, but no SECRET_KEY and no TOKEN_KEYS. Put back the .env "
        f"that it was used with, at {env_file}: fresh secrets would end every session and make every token in it "
        "unreadable."
    )
    assert not env_file.exists()


def test_a_database_that_only_the_file_names_counts_too(
    ensure_secrets: Bootstrap, env_file: Path, tmp_path: Path
) -> None:
    make_database(tmp_path / "elsewhere.sqlite3")
    env_file.write_text(f"DATABASE_URL=sqlite:///{tmp_path}/elsewhere.sqlite3\n")

    with pytest.raises(
        bootstrap.SecretsMissing, match=r"There is a database, .*/elsewhere\.sqlite3, but no SECRET_KEY"
    ):
        ensure_secrets()

    assert env_file.read_text() == f"DATABASE_URL=sqlite:///{tmp_path}/elsewhere.sqlite3\n"


def test_an_empty_file_is_no_database(ensure_secrets: Bootstrap, env_file: Path, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "db.sqlite3").touch()

    written = ensure_secrets()

    assert written == env_file


def test_a_database_server_may_hold_tokens_unless_one_says_that_it_is_new(
    ensure_secrets: Bootstrap, env_file: Path
) -> None:
    url = "postgres://botpenguin@db.example.com/botpenguin"

    with pytest.raises(bootstrap.SecretsMissing, match=r"If it is new and empty, run `python -m botpenguin\.bootstrap"):
        ensure_secrets(DATABASE_URL=url)
    written = ensure_secrets(DATABASE_URL=url, is_new_database=True)

    assert written == env_file


def test_the_refusal_does_not_repeat_the_password_of_the_database(ensure_secrets: Bootstrap) -> None:
    with pytest.raises(bootstrap.SecretsMissing) as refusal:
        ensure_secrets(DATABASE_URL="postgres://botpenguin:hunter2@db.example.com/botpenguin")

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("before", "after"), [(0o644, 0o600), (0o666, 0o600), (0o604, 0o600), (0o640, 0o640), (0o400, 0o400)]
)
def test_a_file_that_everybody_can_read_becomes_private(
    ensure_secrets: Bootstrap, env_file: Path, before: int, after: int
) -> None:
    env_file.write_text("SECRET_KEY=s\nTOKEN_KEYS=t\n")
    env_file.chmod(before)

    ensure_secrets()

    assert env_file.stat().st_mode & 0o777 == after


def test_what_is_no_file_is_not_written_to(ensure_secrets: Bootstrap) -> None:
    with pytest.raises(bootstrap.SecretsMissing, match=r"/dev/null is no file to write them to\. Set ENV_FILE\."):
        ensure_secrets(ENV_FILE="/dev/null")


@pytest.mark.parametrize(("name", "place"), [("ENV_FILE", "nowhere/.env"), ("STATE_DIR", "file/var")])
def test_what_cannot_be_written_is_refused_with_a_sentence(
    ensure_secrets: Bootstrap, env_file: Path, tmp_path: Path, name: str, place: str
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(
        bootstrap.SecretsMissing, match=r"^SECRET_KEY or TOKEN_KEYS is missing, and .* cannot be written"
    ):
        ensure_secrets(**{name: str(tmp_path / place)})

    assert not env_file.exists()


def test_the_command_says_what_it_did_and_never_a_secret(tmp_path: Path, env_file: Path) -> None:
    first, second = run_bootstrap(tmp_path), run_bootstrap(tmp_path)

    assert (first.returncode, first.stdout, first.stderr) == (
        0,
        f"Wrote fresh secrets to {env_file}. Keep it safe.\n",
        "",
    )
    assert (second.returncode, second.stdout) == (0, "The secrets are there; nothing is written.\n")


def test_the_command_refuses_with_a_sentence(tmp_path: Path) -> None:
    make_database(tmp_path / "var" / "db.sqlite3")

    refused = run_bootstrap(tmp_path)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("There is a database, ")
    assert refused.stderr.count("\n") == 1


def run_bootstrap(folder: Path) -> CompletedProcess[str]:
    return server.run(sys.executable, "-m", "botpenguin.bootstrap", env=server.environment(folder))
