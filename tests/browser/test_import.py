"""A pasted call becomes an API, and the page lists what came of it; in Chromium, with scripts and without."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from accounts.models import User
from tests.browser.conftest import Site
from tests.browser.outbound import PAGE
from tests.browser.people import follow, open_page
from tests.browser.soundness import expect_sound

pytestmark = pytest.mark.browser

PASTED = """$ curl ‘https://api.example.com/orders/{id}?page=1’ \\
>   –H “Accept: text/csv” -H 'sec-fetch-mode: cors' \\
>   --compressed -sk -H "Authorization: Bearer $TOKEN" | jq .
"""


@pytest.mark.release
@pytest.mark.parametrize("scripts", [True, False])
def test_a_pasted_call_is_listed_line_by_line(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, scripts: bool
) -> None:
    page = open_context(java_script_enabled=scripts).new_page()
    open_page(page, site, f"{PAGE}import/")
    page.get_by_label("Call").fill("curl 'https://api.example.com -H 'A: b'")
    follow(page, page.get_by_role("button", name="Read the call"))
    expect(page.get_by_text("is never closed. Paste the whole command.")).to_be_visible()
    expect(page.get_by_label("Call")).to_have_value("curl 'https://api.example.com -H 'A: b'")
    if scripts:
        expect_sound(page)

    page.get_by_label("Call").fill(PASTED)
    follow(page, page.get_by_role("button", name="Read the call"))

    lines = page.locator(".imported > *")
    expect(lines).to_have_text(
        [
            "Read",
            "Method: GET",
            "URL: https://api.example.com/orders/{id}",
            "1 parameter",
            "2 headers",
            "Left out",
            "--insecure is left out: certificates are always checked.",
            "--silent is left out: that changes only what curl prints or saves.",
            "--compressed is left out: each response is decompressed.",
            "What follows the command is left out: | jq.",
            "Headers that each sender writes itself are left out: sec-fetch-mode.",
            "Needs your hand",
            "Replace these shell variables by values: $TOKEN.",
            "Replace these parts of the URL by values: {id}.",
        ]
    )
    expect(page.get_by_role("textbox", name="URL")).to_have_value("https://api.example.com/orders/{id}")
    if scripts:
        expect_sound(page)
