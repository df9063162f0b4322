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

from botpenguin.configuration import ImproperlyConfigured, database, env_file
from botpenguin.configuration.env_file import Entry

SECRETS = ("SECRET_KEY", "TOKEN_KEYS")
# How similar a name is to that of a secret if it was meant to be it. Other programs have variables too.
MEANT_IN_FILE, MEANT_IN_ENVIRONMENT = 0.8, 0.9


class SecretsMissing(Exception):
    """Secrets are missing and cannot be written. The text says why, and what to do."""


def ensure_secrets(*, is_new_database: bool = False) -> Path | None:
    """Write the secrets that neither the environment nor `.env` has; return the file if it was written.

    `is_new_database`: the caller knows that the database on a server is empty, which is not checked here.
    Raises `SecretsMissing`, and `ImproperlyConfigured` if the file or the place of the database cannot be read.
    """
    path = env_file.path()
    entries = env_file.read(path)
    # A mode for a group is somebody's choice, one for everybody is an umask's.
    if entries and path.stat().st_mode & 0o007:
        database.make_private(path)
    if not _missing(path, entries):
        return None
    if path.exists() and not path.is_file():
        raise SecretsMissing(
            f"SECRET_KEY or TOKEN_KEYS is missing, and {path} is no file to write them to. Set ENV_FILE."
        )
    try:
        with alone_in(path.parent):
            return _write_missing(path, is_new_database=is_new_database)
    except OSError as error:
        raise SecretsMissing(
            f"SECRET_KEY or TOKEN_KEYS is missing, and {error.filename or path} cannot be written: {error.strerror}. "
            "Set ENV_FILE and STATE_DIR."
        ) from None


def _write_missing(path: Path, *, is_new_database: bool) -> Path | None:
    # Anew, since another first run may have written them meanwhile.
    entries = env_file.read(path)
    missing = _missing(path, entries)
    if not missing:
        return None
    settings = env_file.merged(entries)
    _refuse_beside_a_database(settings, path, missing, is_new_database=is_new_database)
    # So that `manage.py migrate` finds where to put the database.
    database.state_dir(settings.get("STATE_DIR", "")).mkdir(mode=0o700, parents=True, exist_ok=True)
    _append(path, missing)
    return path


def _missing(path: Path, entries: dict[str, Entry]) -> dict[str, str]:
    """Make new secrets for those that are missing. Raises `SecretsMissing` for one that is empty or misspelled."""
    fresh = {"SECRET_KEY": secrets.token_urlsafe(48), "TOKEN_KEYS": secrets.token_urlsafe(32)}
    settings = env_file.merged(entries)
    for name in SECRETS:
        if name not in settings:
            _refuse_misspelled(name, path, entries)
        elif not settings[name].strip():
            place = "the environment" if name in os.environ else f"line {entries[name].line} of {path}"
            raise SecretsMissing(
                f"{name} is empty in {place}. Put back its value, or remove it: then the first start writes a new one."
            )
    return {name: value for name, value in fresh.items() if name not in settings}


def _refuse_misspelled(name: str, path: Path, entries: dict[str, Entry]) -> None:
    if meant := env_file.similar(name, entries, MEANT_IN_FILE):
        place = f"Line {entries[meant].line} of {path}"
    elif meant := env_file.similar(name, dict(os.environ), MEANT_IN_ENVIRONMENT):
        place = "The environment"
    else:
        return
    raise SecretsMissing(
        f"{place} sets {meant}, but no {name}. Correct the name, or add {name} if the two are different settings."
    )


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
    database.refuse_misplaced(settings)
    name = database.sqlite_name(settings)
    reason = (
        f"{{}}, but no {' and no '.join(missing)}. Put back the {path.name} that it was used with, at {path}: "
        "fresh secrets would end every session and make every token in it unreadable."
    )
    if name:
        file = database.file_of(name)
        if file.exists() and file.stat().st_size:
            raise SecretsMissing(reason.format(f"There is a database, {file}"))
    elif not is_new_database:
        raise SecretsMissing(
            reason.format("DATABASE_URL names a database")
            + " If it is new and empty, run `python -m botpenguin.bootstrap --new-database` once."
        )


def _append(path: Path, missing: dict[str, str]) -> None:
    """Add the secrets to the file atomically, readable by its owner only."""
    data = path.read_bytes() if path.exists() else b""
    newline = b"\r\n" if b"\r\n" in data else b"\n"
    lines = [f"{name}={value}" for name, value in missing.items()]
    if "TOKEN_KEYS" in missing:
        lines.insert(0, "# Keep these as safe as the database: without TOKEN_KEYS its tokens are lost.")
    data += b"" if not data or data.endswith((b"\n", b"\r")) else newline
    data += b"".join(line.encode() + newline for line in lines)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # opened with mode 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    Path(temporary).replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m botpenguin.bootstrap", description="Write .env with fresh secrets."
    )
    os.umask(0o077)
    parser.add_argument(
        "--new-database", action="store_true", help="the database that DATABASE_URL names is new and empty"
    )
    try:
        written = ensure_secrets(is_new_database=parser.parse_args().new_database)
    except (SecretsMissing, ImproperlyConfigured) as refusal:
        sys.exit(str(refusal))
    print(
        f"Wrote fresh secrets to {written}. Keep it safe." if written else "The secrets are there; nothing is written."
    )


if __name__ == "__main__":
    main()
