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
