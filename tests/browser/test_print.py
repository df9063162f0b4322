"""Pages on paper, in Chromium."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser.conftest import Site
from tests.browser.people import open_page

pytestmark = pytest.mark.browser


def test_a_printed_page_has_no_navigation(page: Page, site: Site, alice: User) -> None:
    open_page(page, site, "/bots/")
    navigation = page.get_by_role("navigation", name="Main")
    expect(navigation).to_be_visible()

    page.emulate_media(media="print")

    expect(navigation).to_be_hidden()
    expect(page.get_by_role("heading", name="Bots", exact=True)).to_be_visible()
    box = page.locator("main").bounding_box()
    assert box
    assert box["width"] == 1280
