"""What the tests begin with, made once a run: a migrated database, and static files that are collected.

To migrate costs each test process and each server seconds. tests/test_serving.py begins with nothing.
"""

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

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
    """Set the folder aside, for this process and all that it starts; return what removes it."""
    folder = tempfile.mkdtemp(prefix="botpenguin-prepared-")
    os.environ[PLACE] = folder
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def state() -> Path | None:
    """The folder with what is prepared: the first that asks makes it, others wait. None where no tests run."""
    if PLACE not in os.environ:
        return None
    folder = Path(os.environ[PLACE])
    with bootstrap.alone_in(folder):
        if not (made := folder / "made").exists():
            prepare(folder / "var", PREPARE + COLLECT)
            made.touch()
    return folder / "var"


def database(folder: Path) -> str:
    """Put a migrated database into the folder, or on PostgreSQL where the tests run there, and return its URL."""
    if url := database_on_postgresql():
        return url
    if found := state():
        shutil.copyfile(found / DATABASE, folder / DATABASE)
    return f"{server.SQLITE}{folder / DATABASE}"


def database_on_postgresql(*, is_empty: bool = False) -> str | None:
    """Make a database where the tests run on PostgreSQL, migrated unless it is to be empty; return its URL."""
    where = os.environ.get("DATABASE_URL", server.SQLITE)
    if where.startswith(server.SQLITE):
        return None
    # Here, since it needs this module.
    from tests import postgresql  # noqa: PLC0415

    template = "" if is_empty else os.environ.get(TEMPLATE, "")
    return postgresql.new_database(where, template)


def prepare(folder: Path, code: str = PREPARE, **settings: str) -> None:
    """Migrate the database there, or where `DATABASE_URL` says."""
    folder.mkdir()
    environment = server.environment(folder.parent, **settings | SECRETS | {"STATE_DIR": str(folder)})
    environment.pop(server.COVERAGE, None)
    done = server.run(sys.executable, "-c", code, env=environment | {"DJANGO_SETTINGS_MODULE": "botpenguin.settings"})
    assert done.returncode == 0, done.stderr


# No row of a new database is sealed with them.
SECRETS = {"SECRET_KEY": secrets.token_urlsafe(48), "TOKEN_KEYS": secrets.token_urlsafe(32)}
