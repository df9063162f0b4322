"""The page with JavaScript off: everything but the clipboard."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from tests.browser.conftest import Site
from tests.browser.people import TOKEN_PAGE, call_api, open_token_page, token_box

pytestmark = pytest.mark.browser

TOKEN = re.compile(r"^bpat_[0-9A-Za-z]{46}$")
MASK = re.compile(r"^bpat_•{42}[0-9A-Za-z]{4}$")


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Page:
    return open_context(java_script_enabled=False).new_page()


def show(page: Page) -> str:
    """Press Show, and return the token once it is in the box: until then the old page holds its mask."""
    page.get_by_role("button", name="Show").click()
    expect(token_box(page)).to_have_value(TOKEN)
    token: str = token_box(page).input_value()
    return token


def test_show_and_hide_are_forms(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    expect(token_box(page)).to_have_value(MASK)
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)

    token = show(page)
    expect(page.locator("#token-status")).to_have_text("Shown until you leave this page.")
    assert call_api(site, token).status_code == 200

    page.get_by_role("button", name="Hide").click()
    expect(token_box(page)).to_have_value(MASK)
    expect(page).to_have_url(site.url(f"{TOKEN_PAGE}?"))


def test_an_unused_token_is_revoked_by_a_form(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    old = show(page)

    page.get_by_role("button", name="Revoke API Token").click()

    expect(page.get_by_text(f"The old one, ending {old[-4:]}, stopped working at")).to_be_visible()
    assert call_api(site, old).status_code == 401


def test_a_used_token_is_asked_about_on_a_page(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    old = show(page)
    call_api(site, old)

    page.get_by_role("button", name="Revoke API Token").click()
    expect(page.get_by_role("heading", name="This token is in use. Revoke it?")).to_be_visible()
    expect(page.locator(".dialog__facts")).to_have_text(re.compile(r"127\.0\.0\.1\s+By\s+python-requests 2\.32"))
    page.get_by_role("link", name="Keep this token").click()
    assert call_api(site, old).status_code == 200
    page.get_by_role("button", name="Revoke API Token").click()
    page.get_by_role("button", name="Revoke and replace").click()

    expect(page.get_by_text("A new token is in place")).to_be_visible()
    assert call_api(site, old).status_code == 401


def test_the_navigation_is_there(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)

    page.get_by_role("navigation", name="Main").get_by_role("link", name="My Account").click()

    expect(page.get_by_role("heading", name="My Account")).to_be_visible()
