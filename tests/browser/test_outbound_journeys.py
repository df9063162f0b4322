"""An API of 3rd Party Apps API from its first field to its deletion, in Chromium, and how each page looks."""

import re
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from developers.outbound.models import CustomAttribute, OutboundApi
from developers.outbound.recipe import AttributeMapping, Recipe, RecipeField
from tests.browser.conftest import Site
from tests.browser.outbound import PAGE, SECRET, answer_with_order, open_part, open_tab
from tests.browser.people import follow, tab_to
from tests.browser.soundness import expect_sound
from tests.developers.outbound.servers import LocalServer

pytestmark = pytest.mark.browser


@pytest.fixture
def local_server() -> Iterator[LocalServer]:
    with LocalServer(answer_with_order) as local_server:
        yield local_server


@pytest.mark.parametrize(
    "scripts",
    [True, pytest.param(False, marks=pytest.mark.release)],
    ids=["with scripts", "without scripts"],
)
def test_an_api_is_made_tested_mapped_saved_and_deleted(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, local_server: LocalServer, scripts: bool
) -> None:
    CustomAttribute.objects.named(alice, "order_id")
    page = open_context(java_script_enabled=scripts).new_page()
    open_tab(page, site)
    fill_in_api(page, local_server.url, scripts)

    run_and_map(page, scripts)
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Order status is saved.")).to_be_visible()
    assert_saved()
    assert b'\r\n\r\n{"order": "A-17"}' in local_server.requests[0]
    assert b"POST /orders?lang=en HTTP/1.1\r\n" in local_server.requests[0]
    page.wait_for_load_state()
    assert "sk-9f8e7d6c5b4a" not in page.content()

    page.goto(site.url(f"{PAGE}logs/"))
    follow(page, page.get_by_role("link", name="Order status").first)
    sent = page.get_by_role("region", name="Request")
    expect(sent.get_by_role("term").filter(has_text="Authorization")).to_have_count(1)
    expect(sent.get_by_role("definition").filter(has_text="••••••••")).to_have_count(1)
    assert "sk-9f8e7d6c5b4a" not in page.content()

    page.goto(site.url(PAGE))
    find_and_duplicate(page)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_have_count(int(scripts))
    page.get_by_role("button", name="Delete this API").click()
    expect(page.get_by_text("Order status copy is deleted.")).to_be_visible()


def fill_in_api(page: Page, url: str, scripts: bool) -> None:
    """Make a new API with a parameter, a header and a body that takes an attribute."""
    follow(page, page.get_by_role("link", name="Create API"))
    page.get_by_role("textbox", name="Name").fill("Order status")
    page.get_by_label("Method").select_option("POST")
    page.get_by_label("URL").fill(f"{url}/orders")
    page.get_by_role("button", name="Add row to Parameters").click()
    page.locator("[name=parameters-0-name]").fill("lang")
    page.locator("[name=parameters-0-value]").fill("en")
    open_part(page, "Headers", scripts)
    page.get_by_role("button", name="Add row to Headers").click()
    page.locator("[name=headers-0-name]").fill("Authorization")
    page.locator("[name=headers-0-value]").fill(SECRET)
    open_part(page, "Body", scripts)
    body = page.get_by_label("Content", exact=True)
    if scripts:
        body.press_sequentially('{"order": "/ord')
        expect(page.get_by_role("option", name="order_id")).to_have_attribute("aria-selected", "true")
        body.press("Enter")
        body.press_sequentially('"}')
        expect(body).to_have_value('{"order": "{{order_id}}"}')
    else:
        body.fill('{"order": "{{order_id}}"}')


def run_and_map(page: Page, scripts: bool) -> None:
    """Test the API with a value for its attribute, and map two values of the response."""
    page.get_by_role("button", name="Send").click()
    page.get_by_role("textbox", name="order_id").fill("A-17")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("200 OK")).to_be_visible()
    for number, value in enumerate(("price: 24.5", 'status: "shipped"')):
        page.get_by_role("button", name=f"Map {value}").click()
        expect(page.locator(f"[name=mappings-{number}-attribute]")).to_be_focused()
        if not scripts:
            follow(page, page.get_by_role("button", name="Send"))


def assert_saved() -> None:
    recipe = OutboundApi.objects.get().recipe()
    assert recipe.mappings == (
        AttributeMapping("data.items[0].price", "price"),
        AttributeMapping("data.status", "status"),
    )
    assert dict(CustomAttribute.objects.values_list("name", "type")) == {
        "order_id": "text",
        "price": "number",
        "status": "text",
    }


def find_and_duplicate(page: Page) -> None:
    page.get_by_label("Name or URL").fill("order st")
    follow(page, page.get_by_role("button", name="Search"))
    follow(page, page.get_by_role("button", name="Duplicate Order status"))
    expect(page.get_by_role("heading", name="Order status copy")).to_be_visible()


@pytest.mark.release
def test_the_whole_way_by_keyboard_alone(page: Page, site: Site, alice: User, local_server: LocalServer) -> None:
    CustomAttribute.objects.named(alice, "order_id")
    open_tab(page, site)
    press(page, "link", "Create API")
    expect(page.get_by_role("heading", name="Create API")).to_be_visible()
    page.wait_for_load_state()
    tab_to(page, page.get_by_role("textbox", name="Name"))
    page.keyboard.type("Order status")
    tab_to(page, page.get_by_role("textbox", name="URL"))
    page.keyboard.type(f"{local_server.url}/orders")
    press(page, "button", "Add row to Parameters")
    expect(page.locator("[name=parameters-0-name]")).to_be_focused()
    page.keyboard.type("id")
    tab_to(page, page.locator("[name=parameters-0-value]"))
    page.keyboard.type("/ord")
    expect(page.get_by_role("option", name="order_id")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator("[name=parameters-0-value]")).to_have_value("{{order_id}}")
    press(page, "button", "Send")
    expect(page.get_by_role("textbox", name="order_id")).to_be_focused()
    page.keyboard.type("A-17")
    press(page, "button", "Send")
    expect(page.get_by_text("200 OK")).to_be_visible()
    tab_to(page, page.get_by_role("treeitem").first)
    page.keyboard.type("st")
    expect(page.get_by_role("treeitem", name='Map status: "shipped"')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[name=mappings-0-attribute]")).to_be_focused()

    page.keyboard.press("Enter")

    expect(page.get_by_text("Order status is saved.")).to_be_visible()
    page.wait_for_load_state()
    assert OutboundApi.objects.get().recipe().parameters == (RecipeField("id", "{{order_id}}"),)
    press(page, "button", "Delete")
    expect(page.get_by_role("dialog")).to_be_visible()
    press(page, "button", "Delete this API")
    expect(page.get_by_text("Order status is deleted.")).to_be_visible()


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    tab_to(page, page.get_by_role(role, name=name, exact=True))
    page.keyboard.press("Enter")


@pytest.mark.release
@pytest.mark.long
def test_every_page_is_sound(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, local_server: LocalServer
) -> None:
    page = open_context().new_page()
    open_tab(page, site)
    expect_sound(page)
    CustomAttribute.objects.named(alice, "order_id")
    api = OutboundApi.objects.make(alice, "Order status", order_status(local_server.url))
    for path in ("", "?q=nothing", "import/", "attributes/", "new/"):
        page.goto(site.url(PAGE + path))
        expect_sound(page)

    page.goto(site.url(f"{PAGE}{api.pk}/"))
    expect_sound_editor(page)

    page.goto(site.url(f"{PAGE}logs/"))
    expect_sound(page)
    follow(page, page.get_by_role("link", name=re.compile("^Order status")))
    expect_sound(page)


def order_status(url: str) -> Recipe:
    return Recipe(
        "POST",
        f"{url}/orders",
        parameters=(RecipeField("lang", "en"), RecipeField("token", "t-123456")),
        headers=(RecipeField("Authorization", SECRET),),
        body='{"order": "{{order_id}}"}',
        mappings=(AttributeMapping("data.status", "status"),),
    )


def expect_sound_editor(page: Page) -> None:
    """Look at each part of the editor, at a response, at an error and at the question before a deletion."""
    for name in ("Headers", "Body", "Manage API Response", "Parameters"):
        page.get_by_role("tab", name=name).click()
        expect_sound(page)
    page.locator("[name=parameters-0-value]").press("/")
    expect(page.get_by_role("listbox")).to_be_visible()
    expect_sound(page)
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name="order_id").fill("A-17")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("200 OK")).to_be_visible()
    expect_sound(page)
    page.get_by_role("textbox", name="URL").fill("nowhere")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field__error")).to_be_visible()
    expect_sound(page)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect_sound(page)


MOVE_THE_FOCUS_AFTER_A_SWAP = """() => {
  window.focused = new Promise((resolve) => {
    let settled = false;
    document.addEventListener("htmx:afterSettle", () => { settled = true; });
    document.addEventListener("htmx:afterSwap", () => setTimeout(() => {
      document.querySelector("[name=url]").focus();
      const report = () => resolve(document.activeElement.name);
      settled ? report() : document.addEventListener("htmx:afterSettle", report);
    }), { once: true });
  });
}"""


@pytest.mark.release
def test_the_focus_stays_where_a_person_moves_it_after_a_row_was_added(page: Page, site: Site, alice: User) -> None:
    open_tab(page, site)
    press(page, "link", "Create API")
    expect(page.get_by_role("heading", name="Create API")).to_be_visible()
    page.wait_for_load_state()
    page.evaluate(MOVE_THE_FOCUS_AFTER_A_SWAP)

    press(page, "button", "Add row to Parameters")

    assert page.evaluate("() => window.focused") == "url"
