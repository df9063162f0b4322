"""Get started in Chromium: steps that tick themselves off, with and without scripts, by mouse and by keyboard."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from accounts.models import User
from tests.browser.conftest import Site
from tests.browser.people import TOKEN_PAGE, call_api, copy_token, open_token_page, tab_to, token_box
from tests.browser.soundness import WITH_PHONE, expect_sound
from tests.browser.test_after_a_revoke import BECOMES_VISIBLE, HIDE_TAB
from tests.developers.uses import add_use
from tests.developers.views.token_page import use

pytestmark = [pytest.mark.browser, pytest.mark.release]

READ = "navigator.clipboard.readText()"
STEPS = re.compile("/steps/")
NOT_YET = "Not done yet"
# The server lists uses once a minute, whenever that is.
NOT_LISTED = re.compile(f"{NOT_YET}|at \\d\\d:\\d\\d")


def step(page: Page, number: int) -> Locator:
    return page.locator(f"#step-{number}")


def expect_steps(page: Page, *states: str | re.Pattern[str]) -> None:
    for number, state in enumerate(states, start=1):
        said = step(page, number).locator("p")
        expect(said).to_contain_text(state)


def look_again(page: Page) -> None:
    with page.expect_response(STEPS):
        page.evaluate(BECOMES_VISIBLE)


def test_the_steps_of_a_new_account_tick_themselves_off(page: Page, site: Site, alice: User) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if STEPS.search(request.url) else None)
    open_token_page(page, site)
    count = page.locator("#steps-count")
    expect(count).to_have_attribute("role", "status")
    page.evaluate("window.announced = document.getElementById('steps-count')")
    expect_steps(page, *[NOT_YET] * 4)
    expect(step(page, 1)).to_have_attribute("aria-current", "step")

    token = copy_token(page)
    expect_steps(page, re.compile(r"Done:\s+copied at \d\d:\d\d"), *[NOT_YET] * 3)
    page.get_by_role("button", name="Variable to clipboard").click()
    expect_steps(page, "copied at", re.compile(r"Done:\s+command copied"), NOT_YET, NOT_YET)
    assert page.evaluate(READ) == "read -rs BOTPENGUIN_TOKEN && export BOTPENGUIN_TOKEN"
    expect(count).to_have_text("2 of 4 steps done")
    assert call_api(site, token).status_code == 200
    look_again(page)
    expect_steps(page, "copied at", "a program has it", "accepted at", NOT_LISTED)
    expect(page.locator("#token-facts")).to_contain_text(re.compile(r"Just now\s+from 127\.0\.0\.1 by python-requests"))
    add_use(alice, "python-requests", address="127.0.0.1")
    look_again(page)

    expect(step(page, 4)).to_contain_text(re.compile(r"python-requests from 127\.0\.0\.1 at \d\d:\d\d"))
    expect(count).to_have_text("All four steps are done.")
    expect(page.locator("#used-by")).to_contain_text("python-requests")
    assert page.evaluate("window.announced.isConnected")
    before = len(asked)
    page.evaluate(BECOMES_VISIBLE)
    page.reload()
    expect(page.get_by_role("heading", name="Used by")).to_be_visible()
    expect(page.get_by_role("heading", name="Get started")).to_have_count(0)
    assert len(asked) == before


def test_a_hidden_page_asks_nothing(page: Page, site: Site, alice: User) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if STEPS.search(request.url) else None)
    open_token_page(page, site)

    page.evaluate(HIDE_TAB, True)
    page.evaluate(BECOMES_VISIBLE)
    page.evaluate(HIDE_TAB, False)
    look_again(page)

    assert len(asked) == 1


def test_trying_it_ticks_the_call_at_once_and_no_variable(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)

    page.get_by_role("button", name="Try it now").click()

    expect(page.locator("#try-it-status")).to_contain_text("The API answered 200")
    expect_steps(page, NOT_YET, NOT_YET, "accepted at", NOT_LISTED)
    expect(page.locator("#try-it-response")).to_be_visible()


def test_show_ticks_the_first_step(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)

    page.get_by_role("button", name="Show").click()

    expect_steps(page, "shown at", *[NOT_YET] * 3)
    expect(token_box(page)).to_have_value(re.compile("^bpat_"))


def test_the_language_is_chosen_by_keyboard_and_remembered(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    page.get_by_role("button", name="Try it now").click()
    answer = page.locator("#try-it-response")
    expect(answer).to_contain_text("200 OK")
    powershell = page.get_by_role("button", name="PowerShell")

    tab_to(page, powershell)
    page.keyboard.press("Space")
    expect(page.locator("#variable")).to_contain_text("Read-Host 'Token' -AsSecureString")
    expect(page.locator("#snippet")).to_contain_text("Invoke-RestMethod")
    expect(powershell).to_have_attribute("aria-pressed", "true")
    expect(powershell).to_be_focused()
    expect(answer).to_contain_text("200 OK")
    tab_to(page, page.get_by_role("button", name="Variable to clipboard"))
    page.keyboard.press("Enter")
    expect(step(page, 2)).to_contain_text("command copied")
    assert "\n" not in page.evaluate(READ)
    page.reload()

    expect(powershell).to_have_attribute("aria-pressed", "true")
    [cookie] = [cookie for cookie in page.context.cookies() if cookie.get("name") == "snippets"]
    assert (cookie.get("httpOnly"), cookie.get("sameSite"), cookie.get("value")) == (True, "Lax", "powershell")
    expect(step(page, 2)).to_contain_text(NOT_YET)


def test_the_language_is_chosen_on_the_page_of_a_used_token_too(page: Page, site: Site, alice: User) -> None:
    add_use(alice, "n8n")
    open_token_page(page, site)

    page.get_by_role("button", name="JavaScript").click()

    expect(page.locator("#snippet")).to_contain_text("process.env.BOTPENGUIN_TOKEN")
    expect(page.get_by_role("button", name="JavaScript")).to_be_focused()


def test_an_answer_that_a_revoke_overtakes_changes_nothing(page: Page, site: Site, alice: User) -> None:
    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        held.append(route)

    held: list[Route] = []
    page.route(STEPS, hold_the_first)
    open_token_page(page, site)
    with page.expect_request(STEPS):
        page.evaluate(BECOMES_VISIBLE)
    page.get_by_role("button", name="Revoke API Token").click()
    expect(page.get_by_text("A new token is in place")).to_be_visible()

    with page.expect_response(STEPS):
        held[0].fulfill(body='<form id="steps-fill-in"></form><p id="steps-count">Late</p>', content_type="text/html")
    look_again(page)

    expect_steps(page, *[NOT_YET] * 4)
    expect(page.locator("#steps-count")).to_have_text("0 of 4 steps done")


def test_without_scripts_the_steps_are_true_on_each_load(
    open_context: Callable[..., BrowserContext], site: Site, alice: User
) -> None:
    page = open_context(java_script_enabled=False).new_page()
    open_token_page(page, site)
    expect_steps(page, *[NOT_YET] * 4)

    page.get_by_role("button", name="Show").click()
    expect_steps(page, "shown at", *[NOT_YET] * 3)
    page.get_by_role("button", name="Python").click()
    expect(page.locator("#variable")).to_contain_text("getpass")
    expect(page).to_have_url(site.url(f"{TOKEN_PAGE}#commands"))
    expect(page.get_by_role("button", name="Variable to clipboard")).to_have_count(0)
    use(alice, ago=timedelta())
    page.reload()
    expect_steps(page, "shown at", "a program has it", "accepted at", NOT_YET)
    add_use(alice, "python-requests")
    page.reload()

    expect(page.locator("#used-by")).to_contain_text("python-requests")
    expect(page.get_by_role("heading", name="Get started")).to_have_count(0)


def test_the_steps_are_sound(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    for language in ("PowerShell", "Python", "JavaScript", "Bash"):
        page.get_by_role("button", name=language, exact=True).click()
        expect(page.get_by_role("button", name=language, exact=True)).to_have_attribute("aria-pressed", "true")
        expect_sound(page, widths_for_axe=(320,))
    token = copy_token(page)
    call_api(site, token)
    add_use(
        alice, "A nightly report with a name as long as 40", address="2001:db8:1234:5678::/64", ago=timedelta(days=1)
    )
    look_again(page)
    expect(step(page, 4)).to_contain_text("A nightly report")

    expect_sound(page, widths_for_axe=WITH_PHONE)
