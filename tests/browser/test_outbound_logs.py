"""Logs, attributes and deleted APIs in a browser: on a desk and on a phone, with scripts and without."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from developers.outbound.models import ApiLog, CustomAttribute, OutboundApi
from developers.outbound.recipe import Recipe
from tests.browser.conftest import Site
from tests.browser.outbound import PAGE
from tests.browser.people import open_page
from tests.browser.soundness import expect_sound

pytestmark = pytest.mark.browser

WIDTHS = (390, 1280)
# Between two calls.
AGE = timedelta(minutes=40)


class Window(NamedTuple):
    page: Page
    scripts: bool

    def look(self) -> None:
        """Check that the page fits and, on the phone with scripts, all the rest at every width."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if self.scripts and self.page.evaluate("innerWidth") == WIDTHS[0]:
            expect_sound(self.page, WIDTHS, WIDTHS)


@pytest.fixture(
    params=[
        (1280, True),
        pytest.param((390, False), marks=pytest.mark.release),
        pytest.param((390, True), marks=pytest.mark.release),
        pytest.param((1280, False), marks=pytest.mark.release),
    ],
    ids=lambda window: f"{window[0]} px, {'scripts' if window[1] else 'no scripts'}",
)
def window(request: pytest.FixtureRequest, open_context: Callable[..., BrowserContext]) -> Window:
    width, scripts = request.param
    options: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]} if scripts else {}
    context = open_context(viewport={"width": width, "height": 800}, java_script_enabled=scripts, **options)
    return Window(context.new_page(), scripts)


@pytest.fixture
def orders(alice: User) -> OutboundApi:
    return OutboundApi.objects.make(alice, "Orders", Recipe("GET", "https://api.example.com/orders"))


def test_a_deleted_api_is_brought_back_from_the_notice_and_from_the_list(
    window: Window, site: Site, orders: OutboundApi
) -> None:
    page = window.page
    open_page(page, site, PAGE)
    delete(page)
    expect(page.get_by_role("link", name="Orders", exact=True)).to_have_count(0)
    window.look()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Orders is back.")).to_be_visible()

    delete(page)
    page.goto(site.url(PAGE))
    page.get_by_role("button", name="Bring back Orders").click()

    expect(page.get_by_text("Orders is back.")).to_be_visible()
    expect(page.get_by_role("link", name="Orders", exact=True)).to_be_visible()
    assert OutboundApi.objects.get() == orders


def delete(page: Page) -> None:
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("You can bring it back for 10 minutes")).to_be_visible()
    page.get_by_role("button", name="Delete this API").click()
    expect(page.get_by_text("Orders is deleted.")).to_be_visible()


@pytest.mark.release
def test_a_tab_whose_api_was_deleted_keeps_what_was_typed_and_saves_it_after_undo(
    page: Page, site: Site, orders: OutboundApi
) -> None:
    other = page.context.new_page()
    open_page(page, site, f"{PAGE}{orders.pk}/")
    open_page(other, site, PAGE)
    delete(other)
    page.get_by_role("textbox", name="Name").fill("Shipments")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Nothing was saved.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Shipments")
    other.get_by_role("button", name="Undo").click()
    expect(other.get_by_text("Orders is back.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Shipments is saved.")).to_be_visible()


def log_some(api: OutboundApi) -> None:
    now = timezone.now()
    of: dict[str, Any] = {"owner": api.owner, "kind": "call", "method": "GET", "url": api.url}
    ApiLog.objects.bulk_create(
        ApiLog(api=api if name == "Orders" else None, api_name=name, status=status, sent_at=now - number * AGE, **of)
        for name, status in (("Orders", 200), ("Orders", 404), ("Orders", None), ("Tables", 404))
        for number in range(20)
    )


@pytest.mark.release
def test_logs_are_filtered_and_the_bar_leads_to_an_hour(window: Window, site: Site, orders: OutboundApi) -> None:
    page = window.page
    log_some(orders)
    open_page(page, site, f"{PAGE}logs/")
    expect(page.get_by_role("listitem").filter(has_text="worked")).to_have_text("20 worked")

    page.get_by_label("API", exact=True).select_option("Orders")
    page.get_by_label("Status").select_option("404")
    page.get_by_label("Day").select_option("Today")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_label("Status")).to_have_value("404")
    statuses = page.get_by_role("row").get_by_role("cell").nth(3)
    expect(statuses.first).to_have_text("404")
    expect(page.get_by_text("Tables", exact=True)).to_have_count(0)

    page.goto(site.url(f"{PAGE}logs/"))
    page.get_by_text("Hour by hour").click()
    window.look()
    page.get_by_role("rowheader").get_by_role("link").first.click()
    expect(page.get_by_label("Day")).to_have_value(f"{timezone.now():%Y-%m-%d}T{timezone.now():%H}:00Z")
    page.goto(site.url(f"{PAGE}logs/?api={orders.pk}&status=4x4&day=soon"))
    expect(page.get_by_label("API", exact=True)).to_have_value(orders.pk)
    expect(page.get_by_label("Status")).to_have_accessible_description(
        "A status is a number such as 404 or a class such as 4xx. Calls of every status are listed."
    )
    expect(page.get_by_text("60 calls")).to_be_visible()
    window.look()


@pytest.mark.release
def test_the_bar_has_words_where_it_has_no_colours(page: Page, site: Site, orders: OutboundApi) -> None:
    log_some(orders)
    page.emulate_media(forced_colors="active")
    open_page(page, site, f"{PAGE}logs/")
    pieces = page.locator(".last-day__piece")
    colours = {
        name: page.locator(f".last-day__piece--{name}").first.evaluate("piece => getComputedStyle(piece).fill")
        for name in ("worked", "refused", "none")
    }

    page.get_by_text("Hour by hour").click()

    assert len(set(colours.values())) == 3
    assert pieces.evaluate_all("all => all.every((piece) => piece.getBoundingClientRect().height >= 1)")
    expect(page.get_by_role("region", name="Last 24 hours").get_by_role("columnheader")).to_have_text(
        ["Hour", "Worked", "Refused", "Failed", "No response"]
    )


@pytest.mark.release
def test_a_log_and_its_api_lead_to_each_other_and_the_id_is_copied(
    window: Window, site: Site, orders: OutboundApi
) -> None:
    page = window.page
    log_some(orders)
    open_page(page, site, f"{PAGE}logs/")
    page.get_by_role("link", name="Open API Orders").first.click()
    expect(page.get_by_role("heading", name="Last calls")).to_be_visible()
    expect(page.get_by_text(orders.pk)).to_be_visible()
    expect(page.get_by_role("button", name="Copy ID")).to_have_count(int(window.scripts))
    if window.scripts:
        page.get_by_role("button", name="Copy ID").click()
        expect(page.locator("#api-id-status")).to_have_text("Copied to the clipboard.")
        assert page.evaluate("navigator.clipboard.readText()") == orders.pk
    window.look()

    page.get_by_role("region", name="Last calls").get_by_role("link").first.click()

    page.get_by_role("link", name="Open Orders").click()
    page.get_by_role("link", name="All calls of this API").click()
    expect(page.get_by_label("API", exact=True)).to_have_value(orders.pk)


@pytest.mark.release
def test_an_attribute_is_made_saved_in_its_place_removed_and_brought_back(
    window: Window, site: Site, alice: User
) -> None:
    page = window.page
    CustomAttribute.objects.bulk_create(CustomAttribute(owner=alice, name=f"a{number:02}") for number in range(60))
    open_page(page, site, f"{PAGE}attributes/")
    page.get_by_label("Name").fill("A31")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("A31")
    expect(page.get_by_text("There is an attribute of this name already.")).to_be_visible()
    window.look()

    for name in ("a31", "a55"):
        page.goto(site.url(f"{PAGE}attributes/?page={2 if name == 'a55' else 1}"))
        page.get_by_label(f"Type of {name}").select_option("number")
        page.get_by_role("button", name=f"Save {name}").click()
        expect(page.get_by_text(f"{name} has the type Number now.")).to_be_in_viewport()
        expect(page.get_by_role("listitem").filter(has_text=f"{name} has the type")).to_be_focused()
    window.look()

    page.get_by_role("button", name="Remove a55").click()
    expect(page.get_by_text("a55 is removed.")).to_be_in_viewport()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("a55 has the type Number now.")).to_be_in_viewport()
