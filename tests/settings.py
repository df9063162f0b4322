"""The settings that tests run with: the project's own, in a known environment."""

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

if "STATE_DIR" not in os.environ:
    # Made by the first that writes into it: linters read these settings too, and write nothing.
    os.environ["STATE_DIR"] = str(Path(tempfile.gettempdir()) / f"botpenguin-tests-{secrets.token_hex(8)}")
    atexit.register(shutil.rmtree, os.environ["STATE_DIR"], ignore_errors=True)

os.environ |= {
    "ENV_FILE": os.devnull,
    "SECRET_KEY": secrets.token_urlsafe(48),
    "TOKEN_KEYS": secrets.token_urlsafe(32),
    "PUBLIC_URL": "https://app.example.com",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver,panel.test",
    "CSRF_TRUSTED_ORIGINS": "https://app.example.com",
}

from botpenguin.settings import *  # noqa: F403
from botpenguin.settings import ALL_LANGUAGES, DATABASES, PASSWORD_HASHERS, STATE_DIR, STORAGES

LANGUAGES = ALL_LANGUAGES

# Hashed names need collectstatic to have run; the tests that want them start the real server.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# Argon2 takes its time on purpose; accounts made for tests need none of it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]

if DATABASES["default"]["ENGINE"] == "botpenguin.database.sqlite3":
    # In a file: in memory, SQLite has no locks to wait for and no second process.
    # Each process has a folder of its own: bulk work takes turns by a lock of the folder.
    folder = STATE_DIR / os.environ.get("PYTEST_XDIST_WORKER", "alone")
    DATABASES["default"]["TEST"] = {"NAME": str(folder / "test.sqlite3")}
else:
    # Threads of a test are as many as the test says, and each takes a connection of its own.
    DATABASES["default"]["OPTIONS"]["pool"] |= {"min_size": 0, "max_size": 60, "timeout": 30}
    # Migrated already, where tests.postgresql has started the server.
    DATABASES["default"]["TEST"] = {"TEMPLATE": os.environ.get("PREPARED_DATABASE")}
