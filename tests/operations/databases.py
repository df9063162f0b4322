"""Helpers for tests of SQLite databases that are backed up and restored."""

import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.prepared import SECRETS
from tests.server import CoveredServer


def open_database(path: Path, patch: pytest.MonkeyPatch) -> None:
    """Make Django use another database."""
    connection.close()
    patch.setitem(connection.settings_dict, "NAME", str(path))


def manage(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        manage(*arguments)
    return str(refused.value)


def stopped_server(folder: Path, **settings: str) -> CoveredServer:
    """Return a server that is not started, whose commands run in a shell."""
    return CoveredServer(folder, **SECRETS, **settings)


def changing(path: Path) -> Any:
    database = sqlite3.connect(path, isolation_level=None)
    database.create_function("REGEXP", 2, lambda pattern, text: True)
    return closing(database)


def ask(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def names(live: Path) -> set[str]:
    """Return the names of the files beside the database."""
    return {path.name for path in live.parent.iterdir()}


def set_aside(live: Path) -> Path:
    [name] = [name for name in names(live) if ".replaced-" in name]
    return live.with_name(name)


def damage(path: Path) -> None:
    """Make a database that opens and has an overwritten page."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE rows (value TEXT)")
        database.executemany("INSERT INTO rows VALUES (?)", [("x" * 500,)] * 200)
        database.commit()
    with path.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xff" * 4096)
