"""3rd Party Apps API as people use it, in Chromium, against a real server on loopback."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from developers.outbound.models import CustomAttribute, OutboundApi
from developers.outbound.recipe import Recipe, RecipeField
from developers.outbound.transport.concurrency import hold_slot
from tests.browser.conftest import Site
from tests.browser.outbound import SECRET, answer_with_order, open_part, open_tab
from tests.browser.people import follow
from tests.developers.outbound.servers import LocalServer

pytestmark = pytest.mark.browser


@pytest.fixture
def local_server() -> Iterator[LocalServer]:
    with LocalServer(answer_with_order) as local_server:
        yield local_server


def remove_and_undo(page: Page, scripts: bool) -> None:
    page.get_by_role("button", name="Remove row 2 of Headers").click()
    undo = page.get_by_role("button", name="Undo the removal of X-Trace")
    if scripts:
        expect(undo).to_be_focused()
    undo.click()
    expect(undo).to_be_hidden()
    expect(page.locator("[name=headers-1-value]")).to_have_value("on")


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
    follow(page, page.get_by_role("link", name="Edit Orders"))
    page.get_by_role("textbox", name="Name").fill("Shipments")
    page.get_by_role("textbox", name="URL").fill(f"{local_server.url}/shipments")
    page.locator("[name=parameters-0-value]").fill("2")
    open_part(page, "Headers", scripts)
    expect(page.get_by_text("Hidden. Type a new value to replace it.")).to_be_visible()
    expect(page.locator("[name=headers-0-value]")).to_have_value("")
    page.get_by_role("button", name="Add row to Headers").click()
    page.locator("[name=headers-1-name]").fill("X-Trace")
    page.locator("[name=headers-1-value]").fill("on")
    remove_and_undo(page, scripts)

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
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("200 OK")).to_be_visible()
    assert f"\r\nAuthorization: {SECRET}\r\nX-Trace: on\r\n".encode() in local_server.requests[0]


@pytest.mark.release
def test_attributes_are_inserted_by_the_button_and_left_alone_by_escape(page: Page, site: Site, alice: User) -> None:
    CustomAttribute.objects.named(alice, "city")
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com", (RecipeField("q", ""),)))
    open_tab(page, site)
    follow(page, page.get_by_role("link", name="Weather", exact=True))
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
    page.evaluate("document.documentElement.dir = 'rtl'")
    page.get_by_role("tab", name="Headers").press("ArrowLeft")
    expect(page.get_by_role("tab", name="Body")).to_be_focused()
    page.get_by_role("tab", name="Body").press("ArrowRight")
    expect(page.get_by_role("tab", name="Headers")).to_be_focused()


@pytest.mark.release
def test_what_is_wrong_is_reported_by_a_test_too_in_the_one_form_there_is(page: Page, site: Site, alice: User) -> None:
    headers = (RecipeField("Authorization", SECRET, is_secret=True),)
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com", headers=headers))
    open_tab(page, site)
    follow(page, page.get_by_role("link", name="Weather", exact=True))
    page.get_by_role("textbox", name="URL").fill("https://elsewhere.example.com")

    page.get_by_role("button", name="Send").click()

    expect(page.get_by_text("The call goes to another server now.")).to_be_visible()
    expect(page.get_by_role("tab", name="Headers")).to_have_attribute("aria-selected", "true")
    expect(page.locator("[name=headers-0-value]")).to_be_focused()
    expect(page.locator("#editor")).to_have_count(1)
    expect(page.get_by_role("textbox", name="URL")).to_have_value("https://elsewhere.example.com")


@pytest.mark.release
def test_the_command_is_copied_without_secrets(page: Page, site: Site, alice: User) -> None:
    headers = (RecipeField("Authorization", SECRET, is_secret=True),)
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com", headers=headers))
    open_tab(page, site)
    follow(page, page.get_by_role("link", name="Weather", exact=True))

    page.get_by_role("button", name="Copy as curl").click()

    expect(page.locator("#command-status")).to_have_text("Copied to the clipboard.")
    assert page.evaluate("navigator.clipboard.readText()") == (
        """curl -X GET https://api.example.com \\\n  -H 'Authorization: '"$AUTHORIZATION\""""
    )


@pytest.mark.release
def test_a_test_that_comes_too_soon_is_reported(
    open_context: Callable[..., BrowserContext], site: Site, alice: User
) -> None:
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com"))
    page = open_context(expected_status=429).new_page()
    open_tab(page, site)
    follow(page, page.get_by_role("link", name="Weather", exact=True))

    with hold_slot(alice.pk):
        page.get_by_role("button", name="Send").click()

        expect(page.locator("#test-status")).to_have_text(
            "Another call of yours is under way. Try again once it has ended."
        )
    expect(page.get_by_role("button", name="Send")).to_be_visible()


@pytest.mark.release
def test_a_test_that_fails_saves_nothing(chromium: Browser, site: Site, alice: User) -> None:
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com"))
    with chromium.new_context() as context:
        page = context.new_page()
        open_tab(page, site)
        follow(page, page.get_by_role("link", name="Weather", exact=True))
        page.route("**/test/", lambda route: route.fulfill(status=503))
        page.get_by_role("textbox", name="Name").fill("Forecast")

        page.get_by_role("button", name="Send").click()

        expect(page.locator("#test-status")).to_have_text("That did not work. Nothing is lost: try again.")
        expect(page.get_by_role("textbox", name="Name")).to_have_value("Forecast")
    assert OutboundApi.objects.get().name == "Weather"
