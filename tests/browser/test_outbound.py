"""3rd Party Apps API as people use it, in Chromium, against a real server on loopback."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from developers.outbound.models import CustomAttribute, OutboundApi
from developers.outbound.recipe import AttributeMapping, Recipe, RecipeField
from developers.outbound.transport.concurrency import hold_slot
from tests.browser.conftest import Site
from tests.browser.people import open_page, tab_to
from tests.browser.soundness import expect_sound
from tests.developers.outbound.servers import LocalServer, Peer

pytestmark = pytest.mark.browser

PAGE = "/developers/third-party-apps-api/"
SECRET = "Bearer sk-9f8e7d6c5b4a"
ORDER = {"data": {"status": "shipped", "items": [{"name": "Kettle", "price": 24.5}], "paid": True, "note": None}}


def answer(peer: Peer) -> None:
    peer.read_request()
    body = json.dumps(ORDER).encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.fixture
def local_server() -> Iterator[LocalServer]:
    with LocalServer(answer) as local_server:
        yield local_server


def open_tab(page: Page, site: Site) -> None:
    open_page(page, site, PAGE)
    expect(page.get_by_role("heading", name="3rd Party Apps API")).to_be_visible()


def open_part(page: Page, name: str, scripts: bool) -> None:
    if scripts:
        page.get_by_role("tab", name=name).click()


@pytest.mark.parametrize("scripts", [True, pytest.param(False, marks=pytest.mark.release)])
def test_an_api_is_edited_and_its_hidden_value_stays(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, local_server: LocalServer, scripts: bool
) -> None:
    headers = (RecipeField("Authorization", SECRET, is_secret=True),)
    api = OutboundApi.objects.make(
        alice, "Orders", Recipe("GET", f"{local_server.url}/orders", (RecipeField("page", "1"),), headers)
    )
    page = open_context(java_script_enabled=scripts).new_page()
    open_tab(page, site)
    page.get_by_role("link", name="Edit Orders").click()
    page.get_by_role("textbox", name="Name").fill("Shipments")
    page.get_by_role("textbox", name="URL").fill(f"{local_server.url}/shipments")
    page.locator("[name=parameters-0-value]").fill("2")
    open_part(page, "Headers", scripts)
    expect(page.get_by_text("Hidden. Type a new value to replace it.")).to_be_visible()
    expect(page.locator("[name=headers-0-value]")).to_have_value("")
    page.get_by_role("button", name="Add row to Headers").click()
    page.locator("[name=headers-1-name]").fill("X-Trace")
    page.locator("[name=headers-1-value]").fill("on")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Shipments is saved.")).to_be_visible()
    expect(page.get_by_role("heading", name="Shipments")).to_be_visible()
    api.refresh_from_db()
    assert (api.name, api.recipe()) == (
        "Shipments",
        Recipe(
            "GET",
            f"{local_server.url}/shipments",
            (RecipeField("page", "2"),),
            (*headers, RecipeField("X-Trace", "on")),
        ),
    )
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("200 OK")).to_be_visible()
    assert f"\r\nAuthorization: {SECRET}\r\nX-Trace: on\r\n".encode() in local_server.requests[0]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_api_is_made_tested_mapped_saved_and_deleted(  # noqa: PLR0915 - one person's way from start to end
    open_context: Callable[..., BrowserContext], site: Site, alice: User, local_server: LocalServer, scripts: bool
) -> None:
    CustomAttribute.objects.named(alice, "order_id")
    page = open_context(java_script_enabled=scripts).new_page()
    open_tab(page, site)
    page.get_by_role("link", name="Create API").click()
    page.get_by_role("textbox", name="Name").fill("Order status")
    page.get_by_label("Method").select_option("POST")
    page.get_by_label("URL").fill(f"{local_server.url}/orders")

    page.get_by_role("button", name="Add row to Parameters").click()
    page.locator("[name=parameters-0-name]").fill("lang")
    page.locator("[name=parameters-0-value]").fill("en")
    open_part(page, "Headers", scripts)
    page.get_by_role("button", name="Add row to Headers").click()
    page.locator("[name=headers-0-name]").fill("Authorization")
    page.locator("[name=headers-0-value]").fill(SECRET)
    open_part(page, "Body", scripts)
    body = page.get_by_label("JSON")
    if scripts:
        body.press_sequentially('{"order": "/ord')
        expect(page.get_by_role("option", name="order_id")).to_have_attribute("aria-selected", "true")
        body.press("Enter")
        body.press_sequentially('"}')
        expect(body).to_have_value('{"order": "{{order_id}}"}')
    else:
        body.fill('{"order": "{{order_id}}"}')

    page.get_by_role("button", name="Test").click()
    page.get_by_role("textbox", name="order_id").fill("A-17")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("200 OK")).to_be_visible()
    for number, value in enumerate(("price: 24.5", 'status: "shipped"')):
        page.get_by_role("button", name=f"Map {value}").click()
        expect(page.locator(f"[name=mappings-{number}-attribute]")).to_be_focused()
        if not scripts:
            page.get_by_role("button", name="Test").click()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Order status is saved.")).to_be_visible()
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
    assert b'\r\n\r\n{"order": "A-17"}' in local_server.requests[0]
    assert b"POST /orders?lang=en HTTP/1.1\r\n" in local_server.requests[0]
    assert "sk-9f8e7d6c5b4a" not in page.content()

    page.goto(site.url(f"{PAGE}logs/"))
    page.get_by_role("link", name="Order status").first.click()
    sent = page.get_by_role("region", name="Request")
    expect(sent.get_by_role("term")).to_have_text(["Authorization"])
    expect(sent.get_by_role("definition")).to_have_text(["••••••••"])
    assert "sk-9f8e7d6c5b4a" not in page.content()

    page.goto(site.url(PAGE))
    page.get_by_label("Name or URL").fill("order st")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name="Duplicate Order status").click()
    expect(page.get_by_role("heading", name="Order status copy")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_have_count(int(scripts))
    page.get_by_role("button", name="Delete permanently").click()
    expect(page.get_by_text("Order status copy is deleted.")).to_be_visible()


def test_the_whole_way_by_keyboard_alone(page: Page, site: Site, alice: User, local_server: LocalServer) -> None:
    CustomAttribute.objects.named(alice, "order_id")
    open_tab(page, site)
    press(page, "link", "Create API")
    expect(page.get_by_role("heading", name="Create API")).to_be_visible()
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
    press(page, "button", "Test")
    expect(page.get_by_role("textbox", name="order_id")).to_be_focused()
    page.keyboard.type("A-17")
    press(page, "button", "Test")
    expect(page.get_by_text("200 OK")).to_be_visible()
    press(page, "button", 'Map status: "shipped"')
    expect(page.locator("[name=mappings-0-attribute]")).to_be_focused()

    page.keyboard.press("Enter")

    expect(page.get_by_text("Order status is saved.")).to_be_visible()
    assert OutboundApi.objects.get().recipe().parameters == (RecipeField("id", "{{order_id}}"),)
    press(page, "button", "Delete")
    expect(page.get_by_role("dialog")).to_be_visible()
    press(page, "button", "Delete permanently")
    expect(page.get_by_text("Order status is deleted.")).to_be_visible()


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    tab_to(page, page.get_by_role(role, name=name, exact=True))
    page.keyboard.press("Enter")


def test_attributes_are_inserted_by_the_button_and_left_alone_by_escape(page: Page, site: Site, alice: User) -> None:
    CustomAttribute.objects.named(alice, "city")
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com", (RecipeField("q", ""),)))
    open_tab(page, site)
    page.get_by_role("link", name="Weather", exact=True).click()
    value = page.locator("[name=parameters-0-value]")

    value.press_sequentially("application/")
    expect(page.get_by_role("option", name="city")).to_have_attribute("aria-selected", "false")
    value.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    value.fill("")
    page.locator("#part-parameters").get_by_role("button", name="Insert an attribute").click()
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_text(
        ["nameContact field", "emailContact field", "phoneContact field", "cityText"]
    )
    value.press("Enter")

    expect(value).to_have_value("{{name}}")
    page.get_by_role("tab", name="Parameters").press("ArrowRight")
    expect(page.get_by_role("tab", name="Headers")).to_be_focused()
    expect(page.get_by_role("button", name="Add row to Headers")).to_be_visible()


def test_what_is_wrong_is_reported_by_a_test_too_in_the_one_form_there_is(page: Page, site: Site, alice: User) -> None:
    headers = (RecipeField("Authorization", SECRET, is_secret=True),)
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com", headers=headers))
    open_tab(page, site)
    page.get_by_role("link", name="Weather", exact=True).click()
    page.get_by_role("textbox", name="URL").fill("https://elsewhere.example.com")

    page.get_by_role("button", name="Test").click()

    expect(page.get_by_text("The call goes to another server now.")).to_be_visible()
    expect(page.get_by_role("tab", name="Headers")).to_have_attribute("aria-selected", "true")
    expect(page.locator("[name=headers-0-value]")).to_be_focused()
    expect(page.locator("#editor")).to_have_count(1)
    expect(page.get_by_role("textbox", name="URL")).to_have_value("https://elsewhere.example.com")


def test_the_command_is_copied_without_secrets(page: Page, site: Site, alice: User) -> None:
    headers = (RecipeField("Authorization", SECRET, is_secret=True),)
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com", headers=headers))
    open_tab(page, site)
    page.get_by_role("link", name="Weather", exact=True).click()

    page.get_by_role("button", name="Copy as curl").click()

    expect(page.locator("#command-status")).to_have_text("Copied to the clipboard.")
    assert page.evaluate("navigator.clipboard.readText()") == (
        """curl -X GET https://api.example.com \\\n  -H 'Authorization: '"$AUTHORIZATION\""""
    )


def test_a_test_that_comes_too_soon_is_reported(
    open_context: Callable[..., BrowserContext], site: Site, alice: User
) -> None:
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com"))
    page = open_context(expected_status=429).new_page()
    open_tab(page, site)
    page.get_by_role("link", name="Weather", exact=True).click()

    with hold_slot(alice.pk):
        page.get_by_role("button", name="Test").click()

        expect(page.locator("#test-status")).to_have_text(
            "Another call of yours is under way. Try again once it has ended."
        )
    expect(page.get_by_role("button", name="Test")).to_be_visible()


def test_a_test_that_fails_saves_nothing(chromium: Browser, site: Site, alice: User) -> None:
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com"))
    with chromium.new_context() as context:
        page = context.new_page()
        open_tab(page, site)
        page.get_by_role("link", name="Weather", exact=True).click()
        page.route("**/test/", lambda route: route.fulfill(status=503))
        page.get_by_role("textbox", name="Name").fill("Forecast")

        page.get_by_role("button", name="Test").click()

        expect(page.locator("#test-status")).to_have_text("That did not work. Nothing is lost: try again.")
        expect(page.get_by_role("textbox", name="Name")).to_have_value("Forecast")
    assert OutboundApi.objects.get().name == "Weather"


@pytest.mark.release
@pytest.mark.long
def test_every_page_is_sound(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, local_server: LocalServer
) -> None:
    page = open_context().new_page()
    open_tab(page, site)
    expect_sound(page)
    CustomAttribute.objects.named(alice, "order_id")
    recipe = Recipe(
        "POST",
        f"{local_server.url}/orders",
        parameters=(RecipeField("lang", "en"), RecipeField("token", "t-123456")),
        headers=(RecipeField("Authorization", SECRET),),
        body='{"order": "{{order_id}}"}',
        mappings=(AttributeMapping("data.status", "status"),),
    )
    api = OutboundApi.objects.make(alice, "Order status", recipe)
    for path in ("", "?q=nothing", "import/", "attributes/", "new/"):
        page.goto(site.url(PAGE + path))
        expect_sound(page)

    page.goto(site.url(f"{PAGE}{api.pk}/"))
    for name in ("Headers", "Body", "Manage API Response", "Parameters"):
        page.get_by_role("tab", name=name).click()
        expect_sound(page)
    page.locator("[name=parameters-0-value]").press("/")
    expect(page.get_by_role("listbox")).to_be_visible()
    expect_sound(page)
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name="order_id").fill("A-17")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("200 OK")).to_be_visible()
    expect_sound(page)
    page.get_by_role("textbox", name="URL").fill("nowhere")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field__error")).to_be_visible()
    expect_sound(page)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect_sound(page)

    page.goto(site.url(f"{PAGE}logs/"))
    expect_sound(page)
    page.get_by_role("link", name=re.compile("^Order status")).click()
    expect_sound(page)
