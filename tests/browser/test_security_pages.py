"""Sessions, password, email and deletion as people meet them in Chromium: nothing overflows, axe finds nothing."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from tests.browser.conftest import Site
from tests.browser.people import log_in, log_in_to_token_page, open_page
from tests.browser.soundness import expect_sound

pytestmark = pytest.mark.browser

SECURITY = "/account/security/"


@pytest.mark.release
def test_sessions_are_listed_and_ended(
    page: Page, site: Site, alice: User, open_context: Callable[..., BrowserContext]
) -> None:
    elsewhere = [open_context().new_page() for _ in range(2)]
    for other in elsewhere:
        other.goto(site.url("/account/"))
        log_in(other)
        other.wait_for_url(site.url("/account/"))
    open_page(page, site, SECURITY)
    section = page.get_by_role("region", name="Where you are logged in")
    expect(section.get_by_role("listitem")).to_have_count(3)
    expect(section.get_by_role("listitem").first).to_contain_text("This device")
    expect_sound(page)

    section.get_by_role("button", name=re.compile("^Log out .*Chrome")).first.click()

    expect(page.get_by_text("That browser is logged out.")).to_be_visible()
    expect(section.get_by_role("listitem")).to_have_count(2)
    expect_sound(page)

    section.get_by_role("button", name="Log out everywhere else").click()

    expect(page.get_by_text("Logged out everywhere else.")).to_be_visible()
    expect(section.get_by_role("listitem")).to_have_count(1)
    expect(section).to_contain_text("You are not logged in anywhere else.")
    expect_sound(page)
    for other in elsewhere:
        other.reload()
        expect(other.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.release
def test_a_new_password_takes_the_token_along(page: Page, site: Site, alice: User) -> None:
    open_page(page, site, "/account/password/change/")
    expect(page.get_by_role("checkbox", name="Also revoke my API token")).to_be_checked()
    expect_sound(page)

    page.get_by_label("Current password").fill("correct horse battery staple")
    page.get_by_label("New password", exact=True).fill("another good passphrase")
    page.get_by_label("New password, again").fill("another good passphrase")
    page.get_by_role("button", name="Save password").click()

    expect(page.get_by_text("was revoked. A new one is in place.")).to_be_visible()
    expect_sound(page)
    assert alice.revoked_tokens.count() == 1


@pytest.mark.release
def test_a_change_of_email_waits_for_its_link(page: Page, site: Site, alice: User) -> None:
    open_page(page, site, "/account/email/")
    expect_sound(page)

    page.get_by_label("New email").fill("alice@a-very-long-name-of-a-host.wonderland.example")
    page.get_by_role("button", name="Send the link").click()

    expect(page.get_by_text("Waiting for your confirmation")).to_be_visible()
    expect_sound(page)


def test_an_account_is_deleted_by_typing_its_email(page: Page, site: Site, alice: User) -> None:
    open_page(page, site, "/account/delete/")
    page.get_by_label("Type your email to go on").fill("bob@example.org")
    page.get_by_role("button", name="Delete permanently").click()
    expect(page.get_by_text("That is not the email of this account.")).to_be_visible()
    expect_sound(page)

    page.get_by_label("Type your email to go on").fill("alice@example.com")
    page.get_by_role("button", name="Delete permanently").click()

    expect(page.get_by_text("Your account is deleted. What was in it is removed within minutes.")).to_be_visible()
    expect_sound(page)
    assert User.objects.by_email("alice@example.com") is None


@pytest.mark.release
def test_times_are_shown_in_the_time_zone_of_the_browser(
    open_context: Callable[..., BrowserContext], site: Site, alice: User
) -> None:
    page = open_context(timezone_id="Asia/Tokyo").new_page()

    log_in_to_token_page(page, site)

    alice.refresh_from_db()
    assert alice.time_zone == "Asia/Tokyo"
    expect(page.locator(".facts time").first).to_have_attribute("title", re.compile("JST$"))
