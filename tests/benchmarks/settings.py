"""The project's settings with its peers beside it, on a database of their own, limits off."""

import os
from pathlib import Path

os.environ["API_RATE_LIMIT"] = "0"

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS, LOGGING, STATE_DIR

INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework", "rest_framework.authtoken", "knox", "rest_framework_api_key"]
ROOT_URLCONF = "tests.benchmarks.urls"
REST_FRAMEWORK = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}
DATABASES["default"]["NAME"] = str(STATE_DIR / "benchmark.sqlite3")
SECRET_KEY = os.environ.setdefault("BENCHMARK_SECRET_KEY", os.environ["SECRET_KEY"])
TOKEN_KEYS = [os.environ.setdefault("BENCHMARK_TOKEN_KEY", os.environ["TOKEN_KEYS"])]
# Each line is made and written, and discarded.
LOGGING["handlers"]["stderr"]["stream"] = Path(os.devnull).open("w")  # noqa: SIM115 - for the whole process
