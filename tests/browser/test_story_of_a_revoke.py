"""Three real programs use a token, its owner revokes it, and the open page says who has moved, in each engine.

Of the programs, one moves to the new token, one keeps sending the old one, and one is silent.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect

from tests.browser.people import TOKEN_PAGE
from tests.browser.test_firefox import launch
from tests.browser.windows import PlaywrightWindow, WebKitWindow, Window
from tests.server import Server, poll

pytestmark = [
    pytest.mark.browser,
    pytest.mark.release,
    pytest.mark.long,
    pytest.mark.server,
    # Selenium's own driver for WebKitGTK makes its connection the old way.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]

PATH = "/api/v7/token"
TIME = r"\d\d:\d\d"
KNOCKS = 3
CONSEQUENCE = "3 programs will be refused at once. A new token takes the old one's place."
MOVED = "1 of 3 have moved."
SESSION = "SELECT last_seen_at, expire_date FROM accounts_session WHERE user_id IS NOT NULL"
AN_HOUR_AGO = "UPDATE accounts_session SET last_seen_at = datetime(last_seen_at, '-1 hour') WHERE user_id IS NOT NULL"
MOVERS = {
    "python-httpx": re.compile(rf"still sends the old token \({KNOCKS} refused, last {TIME}\)"),
    "curl": re.compile(rf"works with the new one since {TIME}"),
    "Web browser": re.compile("not seen since"),
}


@contextmanager
def in_chromium(request: pytest.FixtureRequest) -> Iterator[Window]:
    yield PlaywrightWindow(request.getfixturevalue("page"))


@contextmanager
def in_firefox(request: pytest.FixtureRequest) -> Iterator[Window]:
    playwright: Playwright = request.getfixturevalue("playwright")
    browser: Browser = launch(playwright)
    errors = list[str]()
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield PlaywrightWindow(page)
    browser.close()
    assert errors == []


@contextmanager
def in_webkit(request: pytest.FixtureRequest) -> Iterator[Window]:
    yield WebKitWindow(request.getfixturevalue("driver"))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, WORKERS="2", MAIL_WORKER="off", API_RATE_LIMIT="0") as running:
        yield running


def call_by_curl(node: Server, token: str) -> int:
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {token}"]
    return int(subprocess.run([*command, node.url + PATH], capture_output=True, check=True).stdout)


def call_by_httpx(node: Server, token: str) -> int:
    with node.client() as client:
        return client.get(PATH, headers={"Authorization": f"Bearer {token}"}).status_code


def log_in(window: Window, node: Server, account: tuple[str, str]) -> None:
    window.open(node.url + TOKEN_PAGE)
    email, password = account
    window.fill("#id_login", email)
    window.fill("#id_password", password)
    window.press("Log in")
    poll(lambda: window.text("h1") == "Developers")


def shown_token(window: Window) -> str:
    window.press("Show")
    return poll(lambda: token if "•" not in (token := window.value("#token")) else None)


def restart(node: Server) -> None:
    """A graceful stop writes the counts of both processes."""
    assert node.stop() == 0
    node.start()
    node.wait_until_ready()


def lines(window: Window) -> dict[str, str]:
    """Return by program what the list says."""
    rows = [window.text(f"#movers > li:nth-child({place})") for place in (1, 2, 3)]
    return {program: row for row in rows for program in MOVERS if row.startswith(program)}


def session(node: Server) -> Any:
    [found] = node.rows(SESSION)
    return found


def use_by_three(window: Window, node: Server) -> str:
    old = shown_token(window)
    window.press("Try it now")
    poll(lambda: window.text("#try-it-status").startswith("The API answered 200"))
    assert [call_by_curl(node, old), call_by_httpx(node, old)] == [200, 200]
    return old


def ask_and_revoke(window: Window) -> str:
    """Press Revoke, confirm by one click, and return what the question said."""
    window.press("Revoke API Token")
    question = poll(lambda: window.text("#dialog"))
    window.press("Revoke and replace")
    poll(lambda: "A new token is in place" in window.text(".notice"))
    return question


@pytest.mark.parametrize("engine", [in_chromium, in_firefox, in_webkit])
def test_the_story_of_a_revoke(
    node: Server, request: pytest.FixtureRequest, engine: Callable[..., AbstractContextManager[Window]]
) -> None:
    account = node.first_account
    with engine(request) as window:
        log_in(window, node, account)
        old = use_by_three(window, node)
        # The page asks by itself, and a browser logs where nobody answers.
        window.open("about:blank")
        restart(node)

        window.open(node.url + TOKEN_PAGE)
        used_by = window.text("#used-by")
        question = ask_and_revoke(window)
        at_first = poll(lambda: window.text("#movers-count"))
        new = shown_token(window)
        with node.database() as database:
            database.execute(AN_HOUR_AGO)
        before = session(node)
        statuses = [call_by_curl(node, new), *(call_by_httpx(node, old) for _ in range(KNOCKS))]
        # The page asks by itself, and the processes write by themselves.
        poll(lambda: all(state.search(lines(window).get(program, "")) for program, state in MOVERS.items()))
        poll(lambda: window.text("#movers-count") == MOVED)
        after = session(node)
        window.open(node.url + TOKEN_PAGE)

        assert [program in used_by for program in MOVERS] == [True] * 3
        assert f"This token is in use. Revoke it? {CONSEQUENCE} " in question
        assert [f"{program} last called today at " in question for program in MOVERS] == [True] * 3
        assert statuses == [200, *[401] * KNOCKS]
        assert (at_first, window.text("#movers-count")) == ("0 of 3 have moved.", MOVED)
        # Asking prolonged nothing, but opening the page did.
        assert before == after != session(node)
        show_without_scripts(window, request)


def show_without_scripts(window: Window, request: pytest.FixtureRequest) -> None:
    """In Chromium, look at the same list without scripts: a reload shows it."""
    if not isinstance(window, PlaywrightWindow) or window.page.context.browser != request.getfixturevalue("chromium"):
        return
    open_context: Callable[..., BrowserContext] = request.getfixturevalue("open_context")
    state = window.page.context.storage_state()
    page = open_context(java_script_enabled=False, storage_state=state).new_page()
    page.goto(window.page.url)
    page.reload()
    expect(page.locator("#movers-count")).to_have_text(MOVED)
    for program, state_of_it in MOVERS.items():
        expect(page.locator("#movers > li").filter(has_text=program)).to_contain_text(state_of_it)
