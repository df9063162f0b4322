"""Prepares a migrated database and collected static files, once a run.

Otherwise each test process and each server would take seconds to migrate. tests/test_serving.py starts without them.
"""

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from botpenguin import bootstrap
from tests import server

# Names the folder to all processes of a run.
PLACE = "PREPARED_STATE"
# On PostgreSQL, names the migrated database from which those of the tests are copied.
TEMPLATE = "PREPARED_DATABASE"
DATABASE = "db.sqlite3"
PREPARE = """
import django

django.setup()
from botpenguin.server import __main__ as server

server.migrate()
"""
COLLECT = """
from botpenguin.http import static_files

static_files.collect(server.UNUSED_STATIC_FILES)
"""


def arrange() -> Callable[[], None]:
    """Create the folder for this process and its child processes. Return a function that removes it."""
    folder = tempfile.mkdtemp(prefix="botpenguin-prepared-")
    os.environ[PLACE] = folder
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def state() -> Path | None:
    """Return the prepared folder. The first process that asks prepares it, and others wait. None outside of tests."""
    if PLACE not in os.environ:
        return None
    folder = Path(os.environ[PLACE])
    with bootstrap.alone_in(folder):
        if not (made := folder / "made").exists():
            prepare(folder / "var", PREPARE + COLLECT)
            made.touch()
    return folder / "var"


def database(folder: Path) -> str:
    """Create a migrated database in the folder, or on PostgreSQL if the tests run there. Return its URL."""
    if url := database_on_postgresql():
        return url
    if found := state():
        shutil.copyfile(found / DATABASE, folder / DATABASE)
    return server.sqlite_url(folder / DATABASE)


def database_on_postgresql(*, is_empty: bool = False) -> str | None:
    """Create a database, migrated unless `is_empty`, and return its URL. On SQLite return None."""
    where = os.environ.get("DATABASE_URL", server.SQLITE)
    if where.startswith(server.SQLITE):
        return None
    # Here, since it needs this module.
    from tests import postgresql  # noqa: PLC0415

    template = "" if is_empty else os.environ.get(TEMPLATE, "")
    return postgresql.new_database(where, template)


def addresses(url: str) -> dict[str, str]:
    """Return the settings that name this database: beside a pooler, also its address at PostgreSQL itself."""
    where = {"DATABASE_URL": url}
    if direct := os.environ.get("DATABASE_DIRECT_URL"):
        where["DATABASE_DIRECT_URL"] = urlsplit(direct)._replace(path=urlsplit(url).path).geturl()
    return where


def prepare(folder: Path, code: str = PREPARE, **settings: str) -> None:
    """Migrate the database in the folder, or the one of `DATABASE_URL`."""
    folder.mkdir()
    environment = server.environment(folder.parent, **settings | SECRETS | {"STATE_DIR": str(folder)})
    environment.pop(server.COVERAGE, None)
    done = server.run(sys.executable, "-c", code, env=environment | {"DJANGO_SETTINGS_MODULE": "botpenguin.settings"})
    assert done.returncode == 0, done.stderr


# No row of a new database is sealed with them.
SECRETS = {"SECRET_KEY": secrets.token_urlsafe(48), "TOKEN_KEYS": secrets.token_urlsafe(32)}
