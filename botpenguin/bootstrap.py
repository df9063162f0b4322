"""The first run: writes `.env` with new secrets, once. Plain Python, no Django.

Without the `TOKEN_KEYS` that a database was used with, all of its tokens are lost. So new
keys are made only if there is no database yet.
"""

import argparse
import fcntl
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
DEFAULT_ENV_FILE = BASE_DIR / ".env"
DEFAULT_STATE_DIR = BASE_DIR / "var"
SQLITE = "sqlite:///"


class SecretsMissing(Exception):
    """Secrets are missing and cannot be written. The text says why, and what to do."""


def ensure_secrets(*, is_new_database: bool = False) -> Path | None:
    """Write the secrets that neither the environment nor `.env` has; return the file if it was written.

    `is_new_database`: the caller knows that the database on a server is empty, which is not checked here.
    Raises `SecretsMissing`.
    """
    path = Path(os.environ.get("ENV_FILE", DEFAULT_ENV_FILE)).resolve()
    if not _missing(_settings(path)):
        return None
    if path.exists() and not path.is_file():
        raise SecretsMissing(
            f"SECRET_KEY or TOKEN_KEYS is missing, and {path} is no file to write them to. Set ENV_FILE."
        )
    with alone_in(path.parent):
        settings = _settings(path)
        missing = _missing(settings)
        if missing:
            _refuse_beside_a_database(settings, path, missing, is_new_database=is_new_database)
            _append(path, missing)
            # So that `manage.py migrate` finds where to put the database.
            Path(settings.get("STATE_DIR", DEFAULT_STATE_DIR)).mkdir(mode=0o700, parents=True, exist_ok=True)
    return path if missing else None


def _settings(path: Path) -> dict[str, str]:
    """Read the environment and the file as the settings will, but without changing the environment."""

    class Reader(environ.Env):
        ENVIRON = dict(os.environ)  # type: ignore[assignment]  # any mapping will do

    if path.is_file():
        Reader.read_env(str(path))
    return dict(Reader.ENVIRON)


def _missing(settings: dict[str, str]) -> dict[str, str]:
    fresh = {"SECRET_KEY": secrets.token_urlsafe(48), "TOKEN_KEYS": secrets.token_urlsafe(32)}
    return {name: value for name, value in fresh.items() if name not in settings}


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Lock a folder, so that of two simultaneous first runs the second finds the secrets of the first."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _refuse_beside_a_database(
    settings: dict[str, str], path: Path, missing: dict[str, str], *, is_new_database: bool
) -> None:
    state_dir = Path(settings.get("STATE_DIR", DEFAULT_STATE_DIR))
    url = settings.get("DATABASE_URL", f"{SQLITE}{state_dir / 'db.sqlite3'}")
    reason = (
        f"{{}}, but no {' and no '.join(missing)}. Put back the {path.name} that it was used with, at {path}: "
        "fresh secrets would end every session and make every token in it unreadable."
    )
    if url.startswith(SQLITE):
        database = Path(url.removeprefix(SQLITE).partition("?")[0])
        if database.exists() and database.stat().st_size:
            raise SecretsMissing(reason.format(f"There is a database, {database}"))
    elif not is_new_database:
        raise SecretsMissing(
            reason.format("DATABASE_URL names a database")
            + " If it is new and empty, run `python -m botpenguin.bootstrap --new-database` once."
        )


def _append(path: Path, missing: dict[str, str]) -> None:
    """Add the secrets to the file atomically, readable by its owner only."""
    text = path.read_text() if path.exists() else ""
    text += "\n" if text and not text.endswith("\n") else ""
    if "TOKEN_KEYS" in missing:
        text += "# Keep these as safe as the database: without TOKEN_KEYS its tokens are lost.\n"
    text += "".join(f"{name}={value}\n" for name, value in missing.items())
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # opened with mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    Path(temporary).replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m botpenguin.bootstrap", description="Write .env with fresh secrets."
    )
    parser.add_argument(
        "--new-database", action="store_true", help="the database that DATABASE_URL names is new and empty"
    )
    try:
        written = ensure_secrets(is_new_database=parser.parse_args().new_database)
    except SecretsMissing as refusal:
        sys.exit(str(refusal))
    print(
        f"Wrote fresh secrets to {written}. Keep it safe." if written else "The secrets are there; nothing is written."
    )


if __name__ == "__main__":
    main()
