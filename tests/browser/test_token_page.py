"""The token page as people use it, in Chromium."""

import re
from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from developers.models import ApiToken
from tests.browser.conftest import TOKEN, Site
from tests.browser.people import (
    LEAVE_AND_COME_BACK,
    TOKEN_PAGE,
    call_api,
    copy_token,
    follow,
    log_in,
    open_token_page,
    tab_to,
    token_box,
)
from tests.cast import token_events

pytestmark = pytest.mark.browser

MASK = re.compile(r"^bpat_•{42}[0-9A-Za-z]{4}$")
HIDE_TAB = """Object.defineProperty(document, "hidden", {value: true});
  document.dispatchEvent(new Event("visibilitychange"));"""
REJECT = "navigator.clipboard.write = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
REJECT_TEXT = "navigator.clipboard.writeText = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
# Counts how often the page says that the token is copied, however briefly.
WATCH = """
  globalThis.claims = 0;
  new MutationObserver(() => {
    const isLabelled = document.querySelector("#token-copy [data-copied]:not([hidden])") !== null;
    const isSaid = Boolean(document.querySelector("#token-status")?.textContent.startsWith("Copied"));
    claims += isLabelled || isSaid;
  }).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""
STORAGE = "JSON.stringify([{...localStorage}, {...sessionStorage}, history.state, document.cookie])"


def test_a_person_logs_in_copies_the_token_revokes_it_and_copies_the_new_one(
    page: Page, site: Site, alice: User
) -> None:
    page.goto(site.url())
    log_in(page)
    developer = page.get_by_role("navigation", name="Main").get_by_role("link", name="Developer")
    expect(page.get_by_role("heading", name="Bots", exact=True)).to_be_visible()
    expect(developer).to_be_hidden()
    page.get_by_role("button", name="More").click()
    developer.click()
    follow(page, page.get_by_role("link", name="API Access Token"))
    expect(token_box(page)).to_have_value(MASK)

    old = copy_token(page)
    assert call_api(site, old).status_code == 200
    page.get_by_role("button", name="Revoke API Token").click()
    page.get_by_role("button", name="Revoke and replace").click()
    expect(page.locator(".notice", has_text="A new token is in place")).to_be_focused()
    new = copy_token(page)

    assert call_api(site, old).status_code == 401
    assert call_api(site, new).status_code == 200
    assert call_api(site, new).json()["data"]["hint"] == new[-4:]


def test_the_token_is_nowhere_in_the_page_until_it_is_shown_and_nowhere_again_once_hidden(
    page: Page, site: Site, alice: User
) -> None:
    open_token_page(page, site)
    token = copy_token(page)

    assert token not in page.content() + page.evaluate(STORAGE)

    page.get_by_role("button", name="Show").click()
    expect(token_box(page)).to_have_value(token)
    page.get_by_role("button", name="Hide").click()
    expect(token_box(page)).to_have_value(MASK)

    expect(page.locator("#token-status")).to_have_text("Hidden. Only the last four characters are shown.")
    assert token not in page.content() + page.evaluate(STORAGE)


def test_no_way_back_to_the_page_shows_the_token_again(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    for leave in LEAVE_AND_COME_BACK:
        page.get_by_role("button", name="Show").click()
        expect(token_box(page)).to_have_value(TOKEN)

        leave(page, site)

        expect(token_box(page)).to_have_value(MASK)
        assert TOKEN.search(page.content()) is None
    assert TOKEN.search(page.evaluate(STORAGE)) is None


def test_a_shown_token_hides_when_its_tab_is_left(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    for leave in ("dispatchEvent(new Event('pagehide'))", HIDE_TAB):
        page.get_by_role("button", name="Show").click()
        expect(page.locator("#token-status")).to_have_text("Hides again when you leave this tab.")

        page.evaluate(leave)

        expect(token_box(page)).to_have_value(MASK)
        expect(page.get_by_role("button", name="Show")).to_be_visible()


@pytest.mark.release
def test_a_token_that_comes_once_its_tab_is_left_is_hidden_at_once(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    page.evaluate(HIDE_TAB)
    page.evaluate("document.addEventListener('htmx:afterSettle', () => document.body.dataset.settled = '')")

    page.get_by_role("button", name="Show").click()

    expect(page.locator("body[data-settled]")).to_be_attached()
    expect(token_box(page)).to_have_value(MASK)
    assert token_events().filter(kind="token-shown").exists()
    assert TOKEN.search(page.content()) is None


def test_an_unused_token_is_replaced_on_the_click(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    old = copy_token(page)

    page.get_by_role("button", name="Revoke API Token").click()

    expect(page.get_by_text(f"The old one, ending {old[-4:]}, stopped working at")).to_be_visible()
    expect(token_box(page)).to_have_value(MASK)
    assert call_api(site, old).status_code == 401
    assert copy_token(page) != old


def test_a_used_token_is_asked_about_and_kept_when_one_declines(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    token = copy_token(page)
    call_api(site, token)
    dialog = page.get_by_role("dialog", name="This token is in use. Revoke it?")
    keep = dialog.get_by_role("button", name="Keep this token")

    for decline in (keep.click, partial(page.keyboard.press, "Escape")):
        page.get_by_role("button", name="Revoke API Token").click()
        expect(dialog).to_contain_text(re.compile(r"Just now\s+From\s+127\.0\.0\.1\s+By\s+python-requests 2\.32"))
        expect(keep).to_be_focused()
        decline()

        expect(dialog).to_be_hidden()
        expect(page.get_by_role("button", name="Revoke API Token")).to_be_focused()
    assert call_api(site, token).status_code == 200
    assert ApiToken.objects.get().generation == 1


def test_a_stale_second_tab_revokes_nothing(context: BrowserContext, site: Site, alice: User) -> None:
    first, second = context.new_page(), context.new_page()
    open_token_page(first, site)
    second.goto(site.url(TOKEN_PAGE))
    first.get_by_role("button", name="Revoke API Token").click()
    expect(first.get_by_text("A new token is in place")).to_be_visible()
    token = copy_token(first)

    second.get_by_role("button", name="Revoke API Token").click()

    expect(
        second.get_by_text(re.compile("This token was already replaced at .*, in another tab or device"))
    ).to_be_visible()
    expect(token_box(second)).to_have_value(re.compile(f"{token[-4:]}$"))
    assert call_api(site, token).status_code == 200


def test_the_whole_journey_by_keyboard_alone(page: Page, site: Site, alice: User) -> None:
    page.goto(site.url(TOKEN_PAGE))
    page.keyboard.type("alice@example.com")
    page.keyboard.press("Tab")
    tab_to(page, page.get_by_label("Password", exact=True))
    page.keyboard.type("correct horse battery staple")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Developers")).to_be_visible()

    tab_to(page, page.get_by_role("button", name="Copy"))
    page.keyboard.press("Enter")
    expect(page.locator("#token-status")).to_have_text("Copied to the clipboard.")
    token = page.evaluate("navigator.clipboard.readText()")
    call_api(site, token)
    tab_to(page, page.get_by_role("button", name="Revoke API Token"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep this token")).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Revoke and replace"))
    page.keyboard.press("Space")

    expect(page.get_by_text("A new token is in place")).to_be_visible()
    assert call_api(site, token).status_code == 401


@pytest.mark.parametrize("refusal", ["denied", "rejected"])
def test_without_permission_for_the_clipboard_the_token_is_shown_selected(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, refusal: str
) -> None:
    page = open_context(permissions=[]).new_page()
    page.add_init_script(WATCH)
    if refusal == "rejected":
        page.add_init_script(REJECT)
    else:
        denied = {"permission": {"name": "clipboard-write"}, "setting": "denied", "origin": site.url("")}
        page.context.new_cdp_session(page).send("Browser.setPermission", denied)
    open_token_page(page, site)

    page.get_by_role("button", name="Copy").click()

    _expect_token_selected(page, site)
    assert page.evaluate("claims") == 0


@pytest.mark.release
def test_on_a_plain_http_host_name_the_token_is_shown_selected(page: Page, site: Site, alice: User) -> None:
    page.goto(site.url(TOKEN_PAGE, host="panel.test"))
    assert page.evaluate("isSecureContext") is False
    log_in(page)

    page.get_by_role("button", name="Copy").click()

    _expect_token_selected(page, site)


def test_the_command_is_copied_as_it_stands(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)

    page.get_by_role("button", name="Command to clipboard").click()

    expect(page.locator("#snippet-status")).to_have_text("Copied to the clipboard.")
    assert page.evaluate("navigator.clipboard.readText()") == (
        f'curl {site.url("/api/v7/token")} \\\n  -H "Authorization: Bearer $BOTPENGUIN_TOKEN"'
    )


@pytest.mark.release
def test_a_command_that_cannot_be_copied_is_selected_and_never_called_copied(
    page: Page, site: Site, alice: User
) -> None:
    page.add_init_script(REJECT_TEXT)
    open_token_page(page, site)

    page.get_by_role("button", name="Command to clipboard").click()

    expect(page.locator("#snippet-status")).to_have_text(
        "The browser did not allow copying. The command is selected: press Ctrl+C."
    )
    assert page.evaluate("getSelection().toString()").startswith("curl ")


def test_copying_is_recorded_once_and_listed(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)

    token = copy_token(page)
    page.reload()

    assert list(token_events().values_list("kind", flat=True)) == ["token-copied", "token-issued"]
    first_row = page.get_by_role("row").nth(1)
    expect(first_row).to_have_text(
        re.compile(rf"Copied\s+…{token[-4:]}\s+\d\d:\d\d\s+127\.0\.0\.1\s+HeadlessChrome, Linux")
    )


def test_a_revoked_token_that_is_still_tried_is_reported_on_the_page(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    old = copy_token(page)
    page.get_by_role("button", name="Revoke API Token").click()
    expect(page.get_by_text("A new token is in place")).to_be_visible()

    call_api(site, old)
    page.reload()

    expect(page.get_by_role("region", name="Still in use somewhere")).to_have_text(
        re.compile(
            rf"The token ending {old[-4:]}, revoked today at \d\d:\d\d, was refused at least once\.\s+"
            r"The last call came today at \d\d:\d\d\s+from 127\.0\.0\.1 by python-requests 2\.32\.\s+"
            r"Put the new token there\."
        )
    )


def _expect_token_selected(page: Page, site: Site) -> None:
    expect(page.locator("#token-status")).to_have_text(
        "The browser did not allow copying. The token is selected: press Ctrl+C."
    )
    selected = token_box(page).evaluate("box => box.value.slice(box.selectionStart, box.selectionEnd)")
    assert call_api(site, selected).status_code == 200
    assert list(token_events().values_list("kind", flat=True)) == ["token-shown", "token-issued"]
