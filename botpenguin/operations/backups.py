"""Copies of a SQLite database: taken while it is served, looked over, and put back. No Django here.

A database is put back by SQLite's own backup, as one transaction into the file that is there:
whoever opens it meanwhile waits, and no process can go on with a file that has been replaced.
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

# What SQLite keeps beside a database, which belongs to it and to no other.
BESIDE = ("-wal", "-shm", "-journal")
SECONDS_OF_WAITING = 1
# The end of a copy's name until it is whole.
UNFINISHED = ".botpenguin-part"
# A copy that is being made is written to far more often than this.
SECONDS_UNTIL_ABANDONED = 24 * 60 * 60
UNREADABLE = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


class Unusable(Exception):
    """Why a file cannot be taken for a backup, or a database not be replaced now: a sentence."""


def take(database: Path, to: Path) -> None:
    """Copy a database, as it is at one moment, into a new file that only its owner may read.

    It appears under its name once it is whole, on disk and checked. Raises `Unusable` where the
    copy is damaged, `FileExistsError` where the file exists, and `OSError` or `sqlite3.Error`.
    """
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as source:
        _copy(source, to, is_checked=True)


def check(path: Path) -> None:
    """Raise `Unusable` unless a file is a database that SQLite finds intact."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            # Constraints of the tables call functions that only Django's own connections know.
            connection.execute("PRAGMA ignore_check_constraints = ON")
            [(verdict,), *_] = connection.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.DatabaseError as error:
        raise Unusable(f"SQLite cannot read it: {error}.") from error
    if verdict != "ok":
        raise Unusable(f"SQLite finds it damaged: {verdict}.")


@contextmanager
def staged(backup: Path, live: Path) -> Iterator[Path]:
    """Give a copy of a backup, on the file system of the database that it is to replace, and remove it afterwards.

    What a plain copy of a database in use left beside it comes along. The backup itself is not touched.
    """
    with tempfile.TemporaryDirectory(dir=live.parent, prefix=".restoring-") as folder:
        copy = Path(folder) / "db.sqlite3"
        shutil.copyfile(backup, copy)
        log = backup.with_name(f"{backup.name}-wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
        yield copy


@contextmanager
def alone_with(live: Path) -> Iterator[sqlite3.Connection | None]:
    """Keep everybody else out of a database until the block ends; None where there is none that can be opened.

    Raises `Unusable` where any process has it open: to leave the write-ahead log SQLite must be alone.
    """
    if not live.exists():
        yield None
        return
    connection = sqlite3.connect(live, timeout=SECONDS_OF_WAITING, isolation_level=None)
    with closing(connection):
        try:
            # Takes what is in the log into the file, and the log away; once others are out, nobody gets in.
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
    """Put a staged copy into the place of a database, at once or not at all; return where that one is kept.

    `running` is what `alone_with` gave.
    """
    aside = live.with_name(f"{live.name}.replaced-{_stamp()}")
    with closing(sqlite3.connect(copy, isolation_level=None)) as source:
        source.execute("PRAGMA journal_mode=DELETE")
        if running:
            # A damaged one is kept too, as it is.
            _copy(running, aside, is_checked=False)
            source.backup(running)
            return aside
    # Nobody can have open what cannot be opened, so its files are moved.
    there = [suffix for suffix in ("", *BESIDE) if live.with_name(live.name + suffix).exists()]
    for suffix in there:
        live.with_name(live.name + suffix).rename(aside.with_name(aside.name + suffix))
    copy.replace(live)
    _sync(live.parent)
    return aside if "" in there else None


def generations(connection: sqlite3.Connection | None) -> dict[int, int] | None:
    """Return the generation of each person's token; None where the database cannot tell."""
    try:
        return dict(connection.execute("SELECT user_id, generation FROM developers_apitoken")) if connection else None
    except sqlite3.DatabaseError:
        return None


def count_rows(connection: sqlite3.Connection | None) -> dict[str, int]:
    """Count the rows of each table; of none where the database cannot tell."""
    if connection is None:
        return {}
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables}  # noqa: S608 - names of its own
    except sqlite3.DatabaseError:
        return {}


def dated_name() -> str:
    """Return the name of a backup that is put into a folder."""
    return f"botpenguin-{_stamp()}.sqlite3"


def _copy(source: sqlite3.Connection, to: Path, *, is_checked: bool) -> None:
    _remove_abandoned(to.parent)
    descriptor, name = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}.", suffix=UNFINISHED)  # with mode 0600
    os.close(descriptor)
    part = Path(name)
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as target:
            # In one step, which writers go on beside: a copy in several would begin anew with each write.
            source.backup(target)
            # One file, which a medium that takes no writes can hold.
            target.execute("PRAGMA journal_mode=DELETE")
        if is_checked:
            check(part)
        _sync(part)
        # Unlike a renaming, this never takes the place of a file.
        to.hardlink_to(part)
    finally:
        part.unlink()
    _sync(to.parent)


def _remove_abandoned(folder: Path) -> None:
    """Remove what copies left in a folder that were killed, so that they do not fill the disk."""
    for path in folder.glob(f".*{UNFINISHED}*"):
        # Another copy may remove it at the same time, and one that stays prevents no backup.
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
