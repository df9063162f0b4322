"""Reauthentication, and sessions that have ended, in Chromium.

The browser itself logs each 403 that carries the way to the log-in page, so these pages
are opened without the watch over the console.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import Session, User
from accounts.sessions import SessionStore
from developers import usage
from developers.models import ApiToken
from tests.browser.conftest import Site
from tests.browser.people import TOKEN_PAGE, copy_token, log_in, open_token_page, token_box
from tests.cast import LAPTOP, PASSWORD

pytestmark = pytest.mark.browser

TWO_HOURS = 7200
# A sample: `test_pages` asks for the header by which browsers keep no page.
PRIVATE_PAGES = ["/account/security/log/", "/inbox/", "/developers/third-party-apps-api/logs/", TOKEN_PAGE]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("button", "word"), [("Show", "Show"), ("Copy", "Copy")])
def test_a_stale_reauthentication_is_asked_for_and_leads_back_to_the_button(
    page: Page, site: Site, alice: User, button: str, word: str
) -> None:
    open_token_page(page, site)
    age_reauthentication()

    page.get_by_role("button", name=button).click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.locator("#token-status")).to_have_text(f"Confirmed. {word} again.")
    expect(page.get_by_role("button", name=button)).to_be_focused()


@pytest.mark.release
def test_after_confirming_the_act_works(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    page.evaluate("navigator.clipboard.writeText('from before')")
    age_reauthentication()
    page.get_by_role("button", name="Copy").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#token-status")).to_have_text("Confirmed. Copy again.")
    expect(page.get_by_role("button", name="Copy")).to_be_focused()
    page.wait_for_load_state()
    assert page.evaluate("navigator.clipboard.readText()") == "from before"

    page.keyboard.press("Enter")

    expect(page.locator("#token-status")).to_have_text("Copied to the clipboard.")


def test_revoking_never_asks_for_a_reauthentication(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    age_reauthentication()

    page.get_by_role("button", name="Revoke API Token").click()

    expect(page.get_by_text("A new token is in place")).to_be_visible()


@pytest.mark.parametrize("button", ["Show", "Copy", "Revoke API Token"])
def test_after_a_log_out_elsewhere_a_log_in_leads_back_to_the_page(
    page: Page, site: Site, alice: User, button: str
) -> None:
    open_token_page(page, site)
    Session.objects.all().delete()

    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    log_in(page)

    expect(page).to_have_url(site.url(TOKEN_PAGE))
    assert alice.revoked_tokens.count() == 0


@pytest.mark.release
def test_a_form_that_has_gone_stale_says_so(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    page.context.clear_cookies(name="csrftoken")

    page.get_by_role("button", name="Show").click()

    expect(page.locator("#token-status")).to_have_text("That did not work. Reload the page and try again.")


@pytest.mark.release
def test_a_server_that_is_away_is_reported(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    page.context.set_offline(True)

    page.get_by_role("button", name="Copy").click()

    expect(page.locator("#token-status")).to_have_text("That did not work. Reload the page and try again.")


@pytest.mark.release
@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        ({"status": 503}, "That did not work."),
        ({"status": 503, "headers": {"Not-Confirmed": "1"}}, "Not confirmed yet: treat the old token as valid."),
        ({"status": 403}, "That did not work."),
        (None, "That did not work."),
    ],
)
def test_a_revoke_that_fails_in_its_dialog_is_reported_before_it(
    page: Page, site: Site, alice: User, failure: dict[str, Any] | None, sentence: str
) -> None:
    usage.record_use(alice.pk, 1, LAPTOP)
    open_token_page(page, site)
    page.get_by_role("button", name="Revoke API Token").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.route("**/revoke/", lambda route: route.fulfill(**failure) if failure else route.abort())

    page.get_by_role("button", name="Revoke and replace").click()

    expect(page.get_by_role("dialog")).to_be_hidden()
    line = page.get_by_role("status").filter(has_text=sentence)
    expect(line).to_be_focused()
    assert ApiToken.objects.get().generation == 1


def test_after_logging_out_back_shows_no_token_page(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    copy_token(page)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("button", name="Hide")).to_be_visible()

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.go_back()

    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(token_box(page)).to_have_count(0)


@pytest.mark.release
def test_after_logging_out_back_shows_no_private_page(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    for path in PRIVATE_PAGES:
        page.goto(site.url(path))
        expect(page.get_by_role("heading", name="Log in", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in", exact=True)).to_be_visible()

    for path in reversed(PRIVATE_PAGES):
        page.go_back()

        expect(page).to_have_url(re.compile(f"/account/login/.*{re.escape(quote(path, safe=''))}$"))
        expect(page.get_by_role("heading", name="Log in", exact=True)).to_be_visible()


def age_reauthentication() -> None:
    """Move the log-in of the one session two hours into the past."""
    row, store = Session.objects.get(), SessionStore()
    data = store.decode(row.session_data)
    for record in data["account_authentication_methods"]:
        record["at"] -= TWO_HOURS
    row.session_data = store.encode(data)
    row.save()
