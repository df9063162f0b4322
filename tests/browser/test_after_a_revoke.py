"""Before, during and after a revoke: who will be refused, and who has moved, in Chromium."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Session, User
from developers.models import ApiToken, RevokedToken
from tests.browser.conftest import Site
from tests.browser.people import open_token_page
from tests.browser.soundness import WITH_PHONE, expect_sound
from tests.developers.uses import add_use
from tests.developers.views.token_page import use

pytestmark = pytest.mark.browser

HOUR = timedelta(hours=1)
BECOMES_VISIBLE = "document.dispatchEvent(new Event('visibilitychange'))"
HIDE_TAB = "hidden => Object.defineProperty(document, 'hidden', {value: hidden, configurable: true})"


def open_page_of_three_programs(page: Page, site: Site, alice: User) -> None:
    for place, program in enumerate(["n8n", "curl", "A nightly report with a name as long as 40"]):
        add_use(alice, program, address=f"2001:db8:1234:567{place}::/64", ago=HOUR)
    use(alice)
    open_token_page(page, site)


def test_a_list_that_fills_in_by_itself_says_who_has_moved(page: Page, site: Site, alice: User) -> None:
    open_page_of_three_programs(page, site, alice)
    page.get_by_role("button", name="Revoke API Token").click()
    # An hour ago may have been yesterday.
    expect(page.get_by_role("dialog")).to_contain_text(re.compile("curl last called (today at|on) "))
    confirm = page.get_by_role("button", name="Revoke and replace")
    expect(confirm).to_have_accessible_description(re.compile("^3 programs will be refused at once"))
    confirm.click()
    movers, count = page.locator("#movers > li"), page.locator("#movers-count")
    expect(count).to_have_text("0 of 3 have moved.")
    seen = Session.objects.values("last_seen_at", "expire_date").get()

    add_use(alice, "n8n", generation=2, address="2001:db8:1234:5670::/64")
    add_use(alice, "curl", refused=12, address="2001:db8:1234:5671::/64")
    page.evaluate(HIDE_TAB, True)
    page.evaluate(BECOMES_VISIBLE)
    page.evaluate(HIDE_TAB, False)
    page.evaluate(BECOMES_VISIBLE)

    expect(count).to_have_text("1 of 3 have moved.")
    expect(movers.nth(0)).to_contain_text("curl")
    expect(movers.nth(0)).to_contain_text(re.compile(r"still sends the old token \(12 refused, last \d\d:\d\d\)"))
    expect(movers.nth(1)).to_contain_text("not seen since")
    expect(movers.nth(2)).to_contain_text("n8n")
    expect(movers.nth(2)).to_contain_text(re.compile(r"works with the new one since \d\d:\d\d"))
    assert Session.objects.values("last_seen_at", "expire_date").get() == seen
    page.get_by_role("button", name="Dismiss this list").click()
    expect(movers).to_have_count(0)
    assert RevokedToken.objects.get().list_dismissed_at


@pytest.mark.release
def test_the_list_is_sound(page: Page, site: Site, alice: User) -> None:
    open_page_of_three_programs(page, site, alice)
    page.get_by_role("button", name="Revoke API Token").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect_sound(page, widths_for_axe=WITH_PHONE)
    page.get_by_role("button", name="Revoke and replace").click()
    expect(page.locator("#movers-count")).to_have_text("0 of 3 have moved.")
    add_use(alice, "n8n", generation=2, address="2001:db8:1234:5670::/64")
    add_use(alice, "curl", refused=12, address="2001:db8:1234:5671::/64")
    page.reload()
    expect(page.locator("#movers-count")).to_have_text("1 of 3 have moved.")

    expect_sound(page, widths_for_axe=WITH_PHONE)

    assert ApiToken.objects.get().generation == 2
