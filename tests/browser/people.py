"""What people do in a browser, in the words of the page."""

from typing import Any

import httpx
from django.conf import settings
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from tests.browser.conftest import Site
from tests.cast import PASSWORD, logged_in
from tests.server import ask

TOKEN_PAGE = "/developers/api-access-token/"


def log_in(page: Page, email: str = "alice@example.com") -> None:
    """Fill in the log-in page that is open, and wait until the scripts of the next page run."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    follow(page, page.get_by_role("button", name="Log in"))


def log_in_to_token_page(page: Page, site: Site) -> None:
    """Go to the token page, logging in on the way."""
    page.goto(site.url(TOKEN_PAGE))
    log_in(page)
    expect(page.get_by_role("heading", name="Developers")).to_be_visible()


def open_page(page: Page, site: Site, path: str, email: str = "alice@example.com") -> None:
    """Go to a page with the cookie of somebody who has logged in by password just now."""
    cookie = logged_in(User.objects.get(email=email)).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": site.url()}])
    page.goto(site.url(path))


def follow(page: Page, link: Locator) -> None:
    """Click a link, and wait until the scripts of the next page run: what is typed before them opens no list."""
    with page.expect_event("load"):
        link.click()


def texts(elements: Locator, count: int) -> list[str]:
    """Return the texts of elements, once there are as many: Playwright itself would not wait for them."""
    expect(elements).to_have_count(count)
    return elements.all_inner_texts()


def open_token_page(page: Page, site: Site, email: str = "alice@example.com") -> None:
    open_page(page, site, TOKEN_PAGE, email)
    expect(page.get_by_role("heading", name="Developers")).to_be_visible()


def copy_token(page: Page) -> str:
    """Press Copy, and return the text of the clipboard."""
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#token-status")).to_have_text("Copied to the clipboard.")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def call_api(site: Site, token: str, **options: Any) -> httpx.Response:
    """Ask the API who the token belongs to, as a program would."""
    return ask(
        site.url("/api/v7/token", host="127.0.0.1"),
        headers={"Authorization": f"Bearer {token}", "User-Agent": "python-requests/2.32.3"},
        **options,
    )


def token_box(page: Page) -> Any:
    return page.get_by_role("textbox", name="API Access Token")


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the focus is there."""
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} is not reached by Tab")


def go_back(page: Page, site: Site) -> None:
    page.goto(site.url("/account/"))
    page.go_back()


def go_back_and_forth(page: Page, site: Site) -> None:
    page.goto(site.url("/account/"))
    page.go_back()
    page.go_forward()
    page.go_back()


def reload(page: Page, site: Site) -> None:
    """Reload as the page's scripts and the key F5 do: then a browser may restore the values of fields."""
    with page.expect_navigation():
        page.evaluate("location.reload()")


LEAVE_AND_COME_BACK = [go_back, go_back_and_forth, reload]
