"""The settings that tests run with: the project's own, in a known environment."""

import os
import secrets
import tempfile

os.environ |= {
    "ENV_FILE": os.devnull,
    "SECRET_KEY": secrets.token_urlsafe(48),
    "TOKEN_KEYS": secrets.token_urlsafe(32),
    "PUBLIC_URL": "https://app.example.com",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver,panel.test",
    "CSRF_TRUSTED_ORIGINS": "https://app.example.com",
    "STATE_DIR": os.environ.get("STATE_DIR") or tempfile.mkdtemp(prefix="botpenguin-tests-"),
}

from botpenguin.settings import *  # noqa: E402, F403

# Argon2 takes its time on purpose; accounts made for tests need none of it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]  # noqa: F405
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # In a file: in memory, SQLite has no locks to wait for and no second process.
    DATABASES["default"]["TEST"] = {"NAME": str(STATE_DIR / "test.sqlite3")}  # noqa: F405
