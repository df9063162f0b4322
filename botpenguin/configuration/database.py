"""Where the database is: for the settings, the first run, the lock of a start, backup and restore.

The default is a path and is never part of a URL: a folder may have `#`, `?`, `%` or `+` in its name.
"""

import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from botpenguin.configuration import ImproperlyConfigured, service_urls
from botpenguin.configuration.env_file import BASE_DIR

DEFAULT_STATE_DIR = BASE_DIR / "var"
DEFAULT_NAME = "db.sqlite3"
# Files that SQLite keeps beside a database.
BESIDE = ("-wal", "-shm", "-journal")
# https://www.sqlite.org/fileformat.html#magic_header_string
MAGIC = b"SQLite format 3\0"
SCHEME = "sqlite:"
ENGINE = "botpenguin.database.sqlite3"
# A name that is a URI (https://www.sqlite.org/uri.html), such as `file:/srv/db.sqlite3?mode=ro`.
URI = "file:"
Settings = Mapping[str, str]
SQLITE: dict[str, Any] = {
    "CONN_MAX_AGE": None,
    "OPTIONS": {
        # Two writers wait for each other instead of failing in the middle.
        "transaction_mode": "IMMEDIATE",
        # In seconds. After that the client gets 503, and the thread is free again.
        "timeout": 5,
        # FULL: a revoke survives a power cut. The log is truncated to 16 MiB after a long read has made it grow.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216;",
    },
}


def state_dir(given: str) -> Path:
    """Return the folder of `STATE_DIR`, which may be relative or empty."""
    return Path(given or DEFAULT_STATE_DIR).absolute()


def sqlite_name(settings: Settings) -> str | None:
    """Return the name of the SQLite database: its absolute path, or a URI of SQLite. None if it is on a server.

    Raises `ImproperlyConfigured` if `DATABASE_URL` cannot be read.
    """
    url = settings.get("DATABASE_URL")
    if url is None:
        return str(state_dir(settings.get("STATE_DIR", "")) / DEFAULT_NAME)
    if not url.strip().lower().startswith(SCHEME):
        return None
    try:
        name = service_urls.sqlite_name(url)
    except ImproperlyConfigured as error:
        old = _left_by_0_1_0(url)
        kept = f" Version 0.1.0 kept the database in {str(old)!r}: move it from there." if old else ""
        raise ImproperlyConfigured(f"{error}{kept}") from None
    return name if name.startswith(URI) else str(Path(name).absolute())


def configuration(settings: Settings) -> dict[str, Any]:
    """Return Django's configuration of the database. Raises `ImproperlyConfigured`."""
    refuse_misplaced(settings)
    name = sqlite_name(settings)
    return {"ENGINE": ENGINE, "NAME": name} if name else service_urls.database(settings["DATABASE_URL"])


def file_of(name: str) -> Path:
    """Return the path of the database with this name."""
    return Path(urlsplit(name).path if name.startswith(URI) else name)


def refuse_misplaced(settings: Settings) -> None:
    """Raise `ImproperlyConfigured` if 0.1.0 kept the database elsewhere, and it has not been moved.

    0.1.0 read every path as part of a URL: `/srv/app #1/var/db.sqlite3` was the file `/srv/app `.
    """
    name = sqlite_name(settings)
    if name is None or file_of(name).exists():
        return
    folder = Path(settings.get("STATE_DIR") or DEFAULT_STATE_DIR)
    url = settings.get("DATABASE_URL", f"{SCHEME}///{folder / DEFAULT_NAME}")
    old, new = _left_by_0_1_0(url), file_of(name)
    if not old:
        return
    there = [suffix for suffix in ("", *BESIDE) if Path(f"{old}{suffix}").exists()]
    moves = " && ".join(shlex.join(["mv", "--", f"{old}{suffix}", f"{new}{suffix}"]) for suffix in there)
    raise ImproperlyConfigured(
        f"Version 0.1.0 kept the database in {str(old)!r}, because it read the path as part of a URL. "
        f"It belongs in {str(new)!r}. Stop every server, and run: {moves} - If the file belongs to another copy of "
        f"BotPenguin, create an empty file {str(new)!r} instead."
    )


def files_of(name: str) -> list[Path]:
    """Return the paths of the database with this name and of the files that SQLite may keep beside it."""
    return [Path(f"{file_of(name)}{suffix}") for suffix in ("", *BESIDE)]


def make_private(*files: Path) -> None:
    """Let only the owner read these files, whatever an earlier umask has allowed."""
    for file in files:
        # Another account may own it, and files come and go.
        with suppress(OSError):
            file.chmod(0o600)


def create_private(name: str) -> None:
    """Create an empty database for its owner only, if there is none. SQLite gives its mode to the files beside it."""
    if not name.startswith((URI, ":")):
        # SQLite reports what keeps it from opening the file.
        with suppress(OSError):
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _left_by_0_1_0(url: str) -> Path | None:
    """Return the database that 0.1.0 kept for this URL, unless it is in the state folder of another copy."""
    try:
        path = Path(unquote_plus(urlsplit(url).path[1:])).absolute()
        copy = path.parent.parent
        if copy != BASE_DIR and (copy / "manage.py").exists():
            return None
        with path.open("rb") as file:
            return path if file.read(len(MAGIC)) == MAGIC else None
    except (OSError, ValueError):  # there is no such file, or no such path
        return None
