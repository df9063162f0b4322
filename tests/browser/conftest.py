"""Real browsers before a real server: Granian on the test database, so that tests can arrange rows."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright
from selenium.webdriver import WebKitGTK
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from accounts.models import User
from tests import prepared
from tests.browser.engines import HEADLESS_CHROMIUM, mini_browser
from tests.cast import PASSWORD
from tests.server import COVERAGE, ROOT, free_port, poll, responds, sqlite_url

# Playwright's synchronous API keeps an event loop in this thread, which Django's ORM would refuse.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# What does not come at all costs this once; what is slow is waited for.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
TOKEN = re.compile("bpat_[0-9A-Za-z]{46}")


def pytest_itemcollected(item: pytest.Item) -> None:
    """One test process runs all of these tests, and starts each browser and the server once."""
    item.add_marker(pytest.mark.xdist_group("browser"))


@dataclass(frozen=True)
class Site:
    """A running server that listens on `port` of 127.0.0.1."""

    port: int

    def url(self, path: str = "/", host: str = "localhost") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture(scope="session")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    state = tmp_path_factory.mktemp("site")
    port = free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "botpenguin.settings",
        "ENV_FILE": os.devnull,
        "STATE_DIR": str(state),
        "SECRET_KEY": settings.SECRET_KEY,
        "TOKEN_KEYS": ",".join(settings.TOKEN_KEYS),
        "DATABASE_URL": sqlite_url(connection.settings_dict["NAME"]),
        "PUBLIC_URL": f"http://localhost:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,panel.test",
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        COVERAGE: "",
    }
    found = prepared.state()
    assert found
    shutil.copytree(found / "static", state / "static")
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)]
    with (
        (state / "log").open("w") as log,
        subprocess.Popen(
            [*granian, "botpenguin.wsgi:application"], cwd=ROOT, env=environment, stdout=log, stderr=log
        ) as server,
    ):
        try:
            poll(lambda: responds(port))
            yield Site(port)
        finally:
            server.terminate()
    assert TOKEN.findall((state / "log").read_text()) == [], "the server has logged a token"


@pytest.fixture(autouse=True)
def _clean_site(site: Site, transactional_db: None) -> None:
    """Rows are committed, so that the server sees them, and flushed; its rate limits start anew for each test."""
    cache.clear()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    # Without a process of its own for graphics, a page costs a fifth less.
    browser = playwright.chromium.launch(
        executable_path=HEADLESS_CHROMIUM,
        args=["--disable-gpu", "--in-process-gpu", "--host-resolver-rules=MAP panel.test 127.0.0.1"],
    )
    yield browser
    browser.close()


@pytest.fixture
def open_context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open browser contexts whose pages may not log an error, and close them afterwards.

    A browser logs every answer with an error status itself; `expected_status` allows for one.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(*, expected_status: int = 0, **options: Any) -> BrowserContext:
        context = chromium.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", lambda message: _note_error(complaints, message, expected_status))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def context(open_context: Callable[..., BrowserContext]) -> BrowserContext:
    return open_context(permissions=["clipboard-read", "clipboard-write"])


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def display() -> Iterator[str]:
    """A virtual screen; X chooses its number."""
    read_end, write_end = os.pipe()
    command = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write_end], stderr=subprocess.DEVNULL) as server:
        os.close(write_end)
        with os.fdopen(read_end) as numbers:
            yield f":{numbers.readline().strip()}"
        server.terminate()


@pytest.fixture
def driver(display: str) -> Iterator[WebKitGTK]:
    options = Options()
    options.binary_location = mini_browser()
    options.add_argument("--automation")
    environment = os.environ | {"DISPLAY": display, "WEBKIT_DISABLE_COMPOSITING_MODE": "1"}
    driver = WebKitGTK(options=options, service=Service(env=environment))
    driver.set_page_load_timeout(2 * PATIENCE_MS / 1000)
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def hashed_password() -> str:
    """The password of everybody, hashed as in production: the server checks it."""
    return make_password(PASSWORD, hasher="argon2")


@pytest.fixture
def alice(alice: User, hashed_password: str) -> User:
    alice.password = hashed_password
    alice.save()
    return alice


def _note_error(complaints: list[str], message: ConsoleMessage, expected_status: int) -> None:
    if message.type == "error" and f"the server responded with a status of {expected_status} " not in message.text:
        complaints.append(message.text)
