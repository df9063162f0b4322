"""The journey in Firefox, with its scripts on and off.

The protocol of Debian's Firefox ignores a context's options without an error. So the tests set preferences, and each
test first shows that its preference works.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from accounts.models import User
from tests.browser.conftest import Site
from tests.browser.engines import FIREFOX
from tests.browser.people import (
    LEAVE_AND_COME_BACK,
    TOKEN_PAGE,
    call_api,
    copy_token,
    follow,
    log_in_to_token_page,
    token_box,
)
from tests.cast import PASSWORD

pytestmark = pytest.mark.browser

TOKEN = re.compile(r"^bpat_[0-9A-Za-z]{46}$")
MASK = re.compile(r"^bpat_•{42}[0-9A-Za-z]{4}$")


def launch(playwright: Playwright, **preferences: bool) -> Browser:
    return playwright.firefox.launch(
        executable_path=FIREFOX,
        channel="moz-firefox",
        firefox_user_prefs={name.replace("_", "."): value for name, value in preferences.items()},
    )


@pytest.fixture
def page(playwright: Playwright) -> Iterator[Page]:
    browser = launch(playwright, dom_events_testing_asyncClipboard=True)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    browser.close()
    assert errors == []


@pytest.fixture
def page_without_scripts(playwright: Playwright) -> Iterator[Page]:
    browser = launch(playwright, javascript_enabled=False)
    yield browser.new_page(viewport={"width": 1280, "height": 800})
    browser.close()


def test_the_journey_in_firefox(page: Page, site: Site, alice: User) -> None:
    log_in_to_token_page(page, site)
    follow(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="Developer"))
    follow(page, page.get_by_role("link", name="API Access Token"))
    expect(token_box(page)).to_have_value(MASK)

    old = copy_token(page)
    assert call_api(site, old).status_code == 200
    page.get_by_role("button", name="Revoke API Token").click()
    page.get_by_role("button", name="Revoke and replace").click()
    expect(page.locator(".notice", has_text="A new token is in place")).to_be_focused()
    new = copy_token(page)

    assert [call_api(site, token).status_code for token in (old, new)] == [401, 200]


@pytest.mark.release
def test_a_shown_token_hides_in_firefox(page: Page, site: Site, alice: User) -> None:
    log_in_to_token_page(page, site)

    page.get_by_role("button", name="Show").click()
    expect(token_box(page)).to_have_value(TOKEN)
    page.get_by_role("button", name="Hide").click()

    expect(token_box(page)).to_have_value(MASK)


@pytest.mark.release
def test_no_way_back_to_the_page_shows_the_token_again_in_firefox(page: Page, site: Site, alice: User) -> None:
    log_in_to_token_page(page, site)
    for leave in LEAVE_AND_COME_BACK:
        page.get_by_role("button", name="Show").click()
        expect(token_box(page)).to_have_value(TOKEN)

        leave(page, site)

        expect(token_box(page)).to_have_value(MASK)


@pytest.mark.release
def test_the_journey_in_firefox_without_scripts(page_without_scripts: Page, site: Site, alice: User) -> None:
    """By keyboard: without scripts this channel can neither fill in a field nor see that a button is steady."""
    page = page_without_scripts
    page.goto(site.url(TOKEN_PAGE))
    assert page.evaluate("matchMedia('(scripting: none)').matches")
    page.get_by_label("Email").type("alice@example.com")
    page.get_by_label("Password", exact=True).type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(site.url(TOKEN_PAGE))
    assert page.get_by_role("button", name="Copy").is_hidden()

    page.get_by_role("button", name="Show").press("Enter")
    page.wait_for_url("**/show/")
    old = token_box(page).input_value()
    assert call_api(site, old).status_code == 200
    page.get_by_role("button", name="Revoke API Token").press("Enter")
    page.wait_for_url("**/revoke/")
    page.get_by_role("button", name="Revoke and replace").press("Enter")
    page.wait_for_url("**/?replaced=1")

    assert page.get_by_text("A new token is in place").is_visible()
    assert MASK.match(token_box(page).input_value())
    assert call_api(site, old).status_code == 401
