"""What people see and hear while the server works on a form, in Chromium."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from accounts.models import User
from botpenguin.platform.models import Bot, Contact, Segment
from developers.outbound.models import CustomAttribute, OutboundApi
from developers.outbound.recipe import Recipe
from tests.browser.conftest import Site
from tests.browser.people import open_page, open_token_page
from tests.browser.test_every_size import is_page
from tests.cast import logged_in
from tests.pages import visit_all

pytestmark = pytest.mark.browser

# Listens after the page's own scripts, and keeps the page: Playwright would wait for a navigation that goes on.
KEEP_PAGE = """() => {
  window.sent = 0;
  addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    window.sent += 1;
  });
}"""
COME_BACK = "dispatchEvent(new PageTransitionEvent('pageshow'))"
# Press the first button of each form, and return the forms that are not busy then, and those that are busy for ever.
# Forms of passkeys ask the device first; scripts take over others, and htmx sends some.
PRESS_ALL = """() => {
  const scripted = "[method=dialog], [data-passkey], [data-hide], [data-copy], [data-try], [data-hx-post], [hidden]";
  const presses = [...document.forms].filter((form) => !form.matches(scripted)).map((form) => {
    form.noValidate = true;
    return [form, [...form.elements].find((one) => one.matches("button:not([type=button], [data-hx-post])"))];
  }).filter(([, button]) => button);
  const isBusy = ([form, button]) => form.ariaBusy === "true" && button.ariaDisabled === "true";
  for (const [, button] of presses) button.click();
  const silent = presses.filter((press) => !isBusy(press));
  dispatchEvent(new PageTransitionEvent("pageshow"));
  const stuck = presses.filter(([form, button]) => form.ariaBusy || button.ariaDisabled);
  return [presses.length, [...silent, ...stuck].map(([form]) => form.action)];
}"""


def test_a_plain_form_is_sent_once_and_says_so_until_the_page_is_back(page: Page, site: Site, alice: User) -> None:
    page.goto(site.url("/account/login/"))
    page.wait_for_load_state()
    page.evaluate(KEEP_PAGE)
    page.get_by_label("Email").fill("alice@example.com")
    page.get_by_label("Password", exact=True).fill("anything")
    button = page.get_by_role("button", name="Log in")
    form = page.locator("form", has=page.get_by_label("Email"))

    button.click()
    expect(form).to_have_attribute("aria-busy", "true")
    expect(button).to_have_attribute("aria-disabled", "true")
    button.dispatch_event("click")
    expect(page.locator("#busy")).to_have_text("Working…")
    page.evaluate(COME_BACK)

    assert page.evaluate("window.sent") == 1
    expect(form).not_to_have_attribute("aria-busy", "true")
    expect(button).not_to_have_attribute("aria-disabled", "true")
    expect(page.locator("#busy")).to_have_text("")


def test_a_request_of_htmx_that_fails_makes_its_form_usable_again(chromium: Browser, site: Site, alice: User) -> None:
    """Without the watch over the console: htmx logs the failure there."""
    page = chromium.new_page()
    open_token_page(page, site)
    page.wait_for_load_state()
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/revoke/", hold)
    button = page.get_by_role("button", name="Revoke API Token")
    form = page.locator("form", has=button)

    button.click()
    expect(form).to_have_attribute("aria-busy", "true")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#token-status")).to_have_text("Asking for a new token…")
    for route in waiting:
        route.abort()

    expect(form).not_to_have_attribute("aria-busy", "true")
    expect(button).not_to_have_attribute("aria-disabled", "true")
    assert len(waiting) == 1
    page.close()


@pytest.mark.release
@pytest.mark.long
def test_every_plain_form_is_busy_until_the_page_is_back(page: Page, site: Site, alice: User) -> None:
    """It visits all pages of panels, and all pages about single objects to which they link."""
    bot = Bot.objects.create(owner=alice, name="Shop", platform="website")
    Contact.objects.create(owner=alice, bot=bot, name="Cleo")
    Segment.objects.create(owner=alice, name="Customers", tags=["vip"])
    CustomAttribute.objects.create(owner=alice, name="city")
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com/"))
    paths = [path for path, response in visit_all(logged_in(alice)).items() if is_page(response)]

    counts = 0
    wrong: dict[str, Any] = {}
    for path in paths:
        open_page(page, site, path)
        page.wait_for_load_state()
        page.evaluate(KEEP_PAGE)
        count, found = page.evaluate(PRESS_ALL)
        counts += count
        if found:
            wrong[path] = found

    assert wrong == {}
    assert counts > len(paths)
