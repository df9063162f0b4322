"""The reference of the API in each engine: an address opens an operation, a search finds one, and one is run."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from accounts.models import User
from botpenguin.platform.models import Bot
from tests.browser.conftest import Site
from tests.browser.test_reference import ANSWERED, REFERENCE
from tests.browser.test_story_of_a_revoke import in_chromium, in_firefox, in_webkit
from tests.browser.windows import Window
from tests.cast import PASSWORD
from tests.server import poll

pytestmark = [
    pytest.mark.browser,
    pytest.mark.release,
    # Selenium's own driver for WebKitGTK makes its connection the old way.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]


@pytest.mark.parametrize("engine", [in_chromium, in_firefox, in_webkit])
def test_an_operation_is_opened_found_and_run(
    engine: Callable[[pytest.FixtureRequest], AbstractContextManager[Window]],
    request: pytest.FixtureRequest,
    site: Site,
    alice: User,
) -> None:
    Bot.objects.create(owner=alice, name="Front desk", platform="website")
    with engine(request) as window:
        window.open(site.url(f"/account/login/?next={REFERENCE}"))
        window.fill("#id_login", "alice@example.com")
        window.fill("#id_password", PASSWORD)
        window.press("Log in")
        poll(lambda: window.text("h1") == "API reference")

        window.open(site.url(f"{REFERENCE}?language=javascript#read_bot"))
        poll(lambda: "await fetch(" in window.text("#read_bot details[open] code[id]"))
        window.fill("#search", "LIST segments")
        poll(lambda: window.text("#search-status").startswith("Operations found: "))
        window.open(site.url(f"{REFERENCE}?confirmed=list_bots"))
        window.press("Send GET")

        poll(lambda: ANSWERED.match(window.text("#list_bots .run [role=status]")))
        assert '"name": "Front desk"' in window.text("#list_bots .try-it__response")
