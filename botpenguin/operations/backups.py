"""Backups of a SQLite database: made while it is served, checked, and restored. No Django here.

A restore uses SQLite's backup API, as one transaction into the existing file: other processes
wait, and none can continue with a replaced file.
"""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from botpenguin.configuration.database import BESIDE

SECONDS_OF_WAITING = 1
# The suffix of an incomplete copy.
UNFINISHED = ".botpenguin-part"
# A copy in progress is written to far more often than this.
SECONDS_UNTIL_ABANDONED = 24 * 60 * 60
UNREADABLE = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


class Unusable(Exception):
    """A file is no usable backup, or the database cannot be replaced now. The text is a sentence."""


def take(database: Path, to: Path) -> None:
    """Copy a consistent snapshot of a database into a new file, readable by its owner only.

    The file gets its name once it is complete, on disk and checked. Raises `Unusable` if the
    copy is damaged, `FileExistsError` if the file exists, and `OSError` or `sqlite3.Error`.
    """
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as source:
        _copy(source, to, is_checked=True)


def check(path: Path) -> None:
    """Raise `Unusable` unless a file is a database that SQLite finds intact."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            # Constraints call functions that only Django's connections have.
            connection.execute("PRAGMA ignore_check_constraints = ON")
            [(verdict,), *_] = connection.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.DatabaseError as error:
        raise Unusable(f"SQLite cannot read it: {error}.") from error
    if verdict != "ok":
        raise Unusable(f"SQLite finds it damaged: {verdict}.")


@contextmanager
def staged(backup: Path, live: Path) -> Iterator[Path]:
    """Yield a copy of a backup on the file system of the database that it will replace, then remove the copy.

    Includes the write-ahead log beside a plain copy of a database in use. The backup itself is not changed.
    """
    with tempfile.TemporaryDirectory(dir=live.parent, prefix=".restoring-") as folder:
        copy = Path(folder) / "db.sqlite3"
        shutil.copyfile(backup, copy)
        # It may take the place of the database.
        copy.chmod(0o600)
        log = backup.with_name(f"{backup.name}-wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
        yield copy


@contextmanager
def alone_with(live: Path) -> Iterator[sqlite3.Connection | None]:
    """Lock a database exclusively; yield None if there is none that can be opened.

    Raises `Unusable` if another process has it open: SQLite leaves write-ahead mode only if alone.
    """
    if not live.exists():
        yield None
        return
    connection = sqlite3.connect(live, timeout=SECONDS_OF_WAITING, isolation_level=None)
    with closing(connection):
        try:
            # Moves the write-ahead log into the file and deletes it. Then the lock keeps others out.
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode not in UNREADABLE:
                reason = f"{live} is in use, or cannot be written: {error}."
                raise Unusable(f"{reason} Stop every server, mail worker and other command first.") from error
            connection.close()
            yield None
            return
        yield connection


def install(copy: Path, live: Path, running: sqlite3.Connection | None) -> Path | None:
    """Replace a database by a staged copy, atomically; return the path where the old one is kept.

    `running` is the connection of `alone_with`.
    """
    aside = live.with_name(f"{live.name}.replaced-{_stamp()}")
    with closing(sqlite3.connect(copy, isolation_level=None)) as source:
        source.execute("PRAGMA journal_mode=DELETE")
        if running:
            # A damaged database is kept unchecked.
            _copy(running, aside, is_checked=False)
            source.backup(running)
            return aside
    # No process can have it open, so its files are moved.
    there = [suffix for suffix in ("", *BESIDE) if live.with_name(live.name + suffix).exists()]
    for suffix in there:
        live.with_name(live.name + suffix).rename(aside.with_name(aside.name + suffix))
    copy.replace(live)
    _sync(live.parent)
    return aside if "" in there else None


def generations(connection: sqlite3.Connection | None) -> dict[int, int] | None:
    """Return the generation of each user's token; None if the database cannot be read."""
    try:
        return dict(connection.execute("SELECT user_id, generation FROM developers_apitoken")) if connection else None
    except sqlite3.DatabaseError:
        return None


def count_rows(connection: sqlite3.Connection | None) -> dict[str, int]:
    """Count the rows of each table; return nothing if the database cannot be read."""
    if connection is None:
        return {}
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables}  # noqa: S608 - names from the database itself
    except sqlite3.DatabaseError:
        return {}


def dated_name() -> str:
    """Return a file name for a backup that is made now."""
    return f"botpenguin-{_stamp()}.sqlite3"


def _copy(source: sqlite3.Connection, to: Path, *, is_checked: bool) -> None:
    _remove_abandoned(to.parent)
    descriptor, name = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}.", suffix=UNFINISHED)  # with mode 0600
    os.close(descriptor)
    part = Path(name)
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as target:
            # In one step: a backup in several steps would restart at each write.
            source.backup(target)
            # So that the backup is one file, also on read-only media.
            target.execute("PRAGMA journal_mode=DELETE")
        if is_checked:
            check(part)
        _sync(part)
        # Unlike a rename, this never replaces a file.
        to.hardlink_to(part)
    finally:
        part.unlink()
    _sync(to.parent)


def _remove_abandoned(folder: Path) -> None:
    """Delete the files of killed copies, so that they do not fill the disk."""
    for path in folder.glob(f".*{UNFINISHED}*"):
        # Another process may delete it too, and a remaining file prevents no backup.
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > SECONDS_UNTIL_ABANDONED:
                path.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
