"""What helps people with the token page: what a screen reader hears, and pages that are slow."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from developers.models import ApiToken
from tests.browser.conftest import Site
from tests.browser.people import open_token_page, token_box

pytestmark = pytest.mark.browser


def heard(page: Page) -> list[str]:
    """Return the names and values that the browser gives to screen readers."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    shown = [node for node in nodes if not node["ignored"]]
    return [str(node[part]["value"]) for node in shown for part in ("name", "value") if part in node]


def test_a_screen_reader_hears_how_the_hidden_token_ends_and_no_bullets(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    hint = ApiToken.objects.get().hint

    hidden = heard(page)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("button", name="Hide")).to_be_visible()
    shown = heard(page)

    assert f"hidden, ends in {hint}" in hidden
    assert not [text for text in hidden if "•" in text]
    assert token_box(page).input_value() in shown
    assert not [text for text in shown if text.startswith("hidden, ends in")]
