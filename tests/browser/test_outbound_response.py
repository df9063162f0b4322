"""The response of a test, in Chromium: its panes, its tree by keyboard, finding, copying; with and without scripts."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from accounts.models import User
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe, RecipeField
from tests.browser.conftest import Site
from tests.browser.outbound import PAGE, SECRET
from tests.browser.people import open_page, texts
from tests.browser.soundness import expect_sound
from tests.developers.outbound.servers import LocalServer, Peer, response
from tests.server import poll

pytestmark = pytest.mark.browser

FIELDS = {"field_8": 8, "field_9": 9}
BODIES = {
    "/names": json.dumps([{"who": {"name": f"Item {number}", "tags": []}} for number in range(102)]),
    "/list": json.dumps([{"id": number, "who": {"name": f"Item {number}"}} | FIELDS for number in range(400)]),
    "/keys": '{"a.b-c": 1.50, "شيء": "قيمة", "数": [], "big": 12345678901234567890}',
    "/lines": "{\r\n" + '  "a": <1>,\n' * 30 + "}",
    "/line": "x" * 300_000 + "needle",
}


def answer(peer: Peer) -> None:
    path = re.split(r"[ ?]", peer.read_request().decode())[1]
    if path == "/hop":
        peer.send(response(b"", "Location: /keys?key=k-123", status="303 See Other"))
    else:
        peer.send(response(BODIES[path].encode(), "Content-Type: application/json", f"X-Echo: {SECRET}"))


TAB_STOPS = "[tabindex='0'], button:not([tabindex='-1']), summary:not([tabindex='-1'])"
SEEN = "[...document.querySelectorAll('.response-tree li')].filter((item) => item.checkVisibility()).length"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(answer) as server:
        yield server


@pytest.fixture
def show(site: Site, alice: User, server: LocalServer) -> Callable[[Page, str], None]:
    """Open an API whose server answers at a path, and test it."""

    def open_and_test(page: Page, path: str) -> None:
        headers = (RecipeField("Authorization", SECRET),)
        recipe = Recipe("POST", server.url + path, headers=headers, body='{"a": "b"}', follows_redirects=True)
        api = OutboundApi.objects.make(alice, path, recipe)
        open_page(page, site, f"{PAGE}{api.pk}/")
        page.locator("#send").click()
        expect(page.locator("#exchange")).to_be_visible()

    return open_and_test


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tablist", name="Response and request").get_by_role("tab", name=name)


def copied(page: Page) -> str:
    """Press the copy button of the open pane, and return what it copied."""
    page.evaluate("navigator.clipboard.writeText('')")
    page.locator("#exchange .pane[data-current] .pane__copy").click()
    # The line may still speak of the pane that was copied before.
    text: str = poll(lambda: page.evaluate("navigator.clipboard.readText()"))
    expect(page.locator("#copy-status")).to_have_text("Copied to the clipboard.")
    return text


def test_a_list_of_four_hundred_is_one_tab_stop_and_each_value_is_reached_by_keys(
    page: Page, show: Callable[[Page, str], None]
) -> None:
    show(page, "/list")
    # By role, Playwright needs seconds to look at thousands of elements.
    root, focused = page.locator(".response-tree > li"), page.locator(".response-tree :focus")
    expect(page.locator("[role=tree]")).to_have_attribute("aria-label", "Values of the response")
    expect(page.locator(".response-tree").locator(TAB_STOPS)).to_have_count(1)
    assert page.evaluate(SEEN) == 401

    page.locator("[data-copy-pane=tree]").focus()
    page.keyboard.press("Tab")
    expect(root).to_be_focused()
    page.keyboard.press("End")
    expect(focused).to_have_attribute("aria-label", "399 object of 4")
    expect(focused.locator("summary").first).to_be_in_viewport()
    page.keyboard.press("ArrowRight")
    expect(focused).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("*")
    page.keyboard.press("ArrowDown")
    expect(focused).to_have_text('Map name: "Item 399"')
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(focused).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    expect(root).to_be_focused()


@pytest.mark.release
def test_the_letters_of_a_key_lead_to_a_value_which_enter_maps(page: Page, show: Callable[[Page, str], None]) -> None:
    show(page, "/list")
    root, focused = page.locator(".response-tree > li"), page.locator(".response-tree :focus")

    root.focus()
    page.keyboard.type("17")
    expect(focused).to_have_attribute("aria-label", "17 object of 4")
    page.keyboard.press("Space")
    page.locator("summary", has_text=re.compile("^17 object")).click()
    page.keyboard.press("ArrowRight")
    page.keyboard.type("field_9")
    expect(focused).to_have_text("Map field_9: 9")
    page.keyboard.press("Home")
    page.keyboard.type("17")
    page.keyboard.press("ArrowDown")
    expect(focused).to_have_text("Map id: 17")
    page.keyboard.press("Enter")

    expect(page.locator("[name=mappings-0-attribute]")).to_be_focused()
    expect(page.locator("[name=mappings-0-path]")).to_have_value("$[17]['id']")
    expect(page.locator("[name=mappings-0-type]")).to_have_value("number")
    expect(page.locator(".outcome__code")).to_have_text("200 OK")
    expect(root).to_have_attribute("aria-expanded", "true")


@pytest.mark.release
def test_a_text_is_found_in_the_pane_that_is_open(page: Page, show: Callable[[Page, str], None]) -> None:
    show(page, "/names")
    field, count = page.get_by_role("searchbox", name="Find"), page.locator("#find-count")
    expect(page.locator("#exchange[data-enhanced]")).to_be_visible()

    field.fill('NAME: "item 9')
    expect(count).to_have_text("1 of 11")
    expect(page.get_by_role("button", name='Map name: "Item 9"', exact=True)).to_be_in_viewport()
    expect(field).to_be_in_viewport()
    field.press("Shift+Enter")
    expect(count).to_have_text("11 of 11")
    expect(page.get_by_role("button", name='Map name: "Item 99"', exact=True)).to_be_in_viewport()
    field.press("Enter")
    field.press("Enter")
    expect(count).to_have_text("2 of 11")
    assert page.evaluate("[...CSS.highlights.get('found-now')].map((range) => range.startContainer.data)") == ["name"]
    tab(page, "Raw text").click()
    expect(count).to_have_text("Not found")
    field.fill("item 39")
    page.get_by_role("button", name="Next match").click()
    expect(count).to_have_text("1 of 1")
    field.fill("(.*")
    expect(count).to_have_text("Not found")
    field.press("Escape")
    expect(field).to_have_value("")
    expect(count).to_have_text("")
    assert page.evaluate("CSS.highlights.size") == 0
    expect(page.get_by_text("200 OK")).to_be_visible()


@pytest.mark.release
def test_panes_are_tabs_and_each_is_copied_as_it_reads(page: Page, show: Callable[[Page, str], None]) -> None:
    show(page, "/hop")
    tab(page, "Tree").focus()

    assert copied(page) == '{\n  "a.b-c": 1.50,\n  "شيء": "قيمة",\n  "数": [],\n  "big": 12345678901234567890\n}'
    page.keyboard.press("Tab")
    tab(page, "Tree").press("ArrowRight")
    expect(tab(page, "Raw text")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Raw text")).to_be_visible()
    expect(page.get_by_role("tree")).to_be_hidden()
    assert copied(page) == BODIES["/keys"]
    tab(page, "Raw text").press("End")
    host = page.locator("#pane-request dd").first.text_content()
    sent = f"POST /hop HTTP/1.1\nHost: {host}\naccept: */*\nuser-agent: BotPenguin\ncontent-type: application/json\n"
    sent += "Authorization: ••••••••\naccept-encoding: gzip, deflate\nconnection: close\nContent-Length: 10\n\n"
    assert copied(page) == sent + '{"a": "b"}'
    expect(page.locator(".hops li")).to_have_text(
        [f"POST http://{host}/hop → 303", f"GET http://{host}/keys?key=•••••••• → 200"]
    )
    tab(page, "Request").press("ArrowLeft")
    assert "\nX-Echo: ••••••••" in copied(page)
    expect(page.get_by_role("tab", name="Parameters")).to_have_attribute("aria-selected", "true")

    page.locator("#send").click()

    expect(tab(page, "Response headers")).to_have_attribute("aria-selected", "true")


@pytest.mark.release
def test_the_numbers_of_lines_are_not_copied_and_a_long_line_fits(
    page: Page, show: Callable[[Page, str], None]
) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    show(page, "/lines")
    expect(page.get_by_text("The response is not JSON: see line 2, column 8.")).to_be_visible()

    assert copied(page) == BODIES["/lines"]
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.raw'))")
    assert page.evaluate("getSelection().toString().trim()").startswith("{")
    box = "(selector) => document.querySelector(selector).getBoundingClientRect().height"
    assert page.evaluate(box, ".raw__numbers") == page.evaluate(box, ".raw__text")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    show(page, "/line")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("searchbox", name="Find").fill("needle")
    expect(page.locator("#find-count")).to_have_text("1 of 1")


@pytest.mark.release
def test_without_scripts_all_panes_are_seen_and_mapping_keeps_them(
    open_context: Callable[..., BrowserContext], show: Callable[[Page, str], None]
) -> None:
    page = open_context(java_script_enabled=False).new_page()
    show(page, "/keys")
    panes = ("Tree", "Raw text", "Response headers", "Request")

    for name in panes:
        expect(page.get_by_role("region", name=name)).to_be_visible()
    expect(page.locator("#exchange .needs-script:visible")).to_have_count(0)
    page.get_by_role("button", name="Map a.b-c: 1.5").click()

    expect(page.locator("[name=mappings-0-path]")).to_have_value("$['a.b-c']")
    expect(page.locator("[name=mappings-0-attribute]")).to_be_focused()
    for name in panes:
        expect(page.get_by_role("region", name=name)).to_be_visible()
    page.get_by_role("button", name="Map شيء").click()
    expect(page.locator("[name=mappings-1-path]")).to_have_value("شيء")
    expect(page.get_by_role("region", name="Request")).to_contain_text("Authorization••••••••")


@pytest.mark.release
@pytest.mark.parametrize(("path", "panes"), [("/keys", 4), ("/lines", 3), ("/hop", 4)])
def test_each_pane_is_sound(page: Page, site: Site, show: Callable[[Page, str], None], path: str, panes: int) -> None:
    show(page, path)
    for name in texts(page.get_by_role("tablist", name="Response and request").get_by_role("tab"), panes):
        tab(page, name).click()
        page.get_by_role("searchbox", name="Find").fill("a")
        expect_sound(page, (390, 1280), (390, 1280))

    page.goto(site.url(f"{PAGE}logs/"))
    page.get_by_role("link", name=path).first.click()
    expect(page.get_by_role("region", name="Request")).to_be_visible()
    expect_sound(page, (390, 1280), (390, 1280))
    page.get_by_role("button", name="Copy the request").click()
    expect(page.locator("#copy-status")).to_have_text("Copied to the clipboard.")
