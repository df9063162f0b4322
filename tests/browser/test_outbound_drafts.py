"""Nothing that is typed in the call editor is lost: in Chromium, against a real server."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import Session, User
from developers.outbound import api_deletion
from developers.outbound.call_drafts import CallDraft
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe, RecipeField
from tests.browser.conftest import Site
from tests.browser.outbound import PAGE, SECRET, open_part
from tests.browser.people import follow, log_in, open_page
from tests.browser.soundness import WITH_PHONE, expect_sound
from tests.server import poll

pytestmark = pytest.mark.browser

NEW = f"{PAGE}new/"


@pytest.fixture
def orders(alice: User) -> OutboundApi:
    headers = (RecipeField("Authorization", SECRET, is_secret=True),)
    return OutboundApi.objects.make(alice, "Orders", Recipe("GET", "https://api.example.com", headers=headers))


def hurry(page: Page) -> None:
    """Have drafts saved at once, not after two seconds."""
    line = page.locator("#draft-status")
    assert line.get_attribute("data-seconds") == "2"
    line.evaluate("line => line.dataset.seconds = '0.02'")


def fill(page: Page, name: str, text: str) -> None:
    page.get_by_role("textbox", name=name, exact=True).fill(text)


def expect_kept(page: Page) -> None:
    expect(page.get_by_text("Draft saved ")).to_be_visible()


@pytest.mark.release
def test_a_closed_tab_is_offered_again_without_its_hidden_values(
    context: BrowserContext, site: Site, orders: OutboundApi
) -> None:
    page = context.new_page()
    open_page(page, site, f"{PAGE}{orders.pk}/")
    hurry(page)
    fill(page, "Name", "Shipments")
    open_part(page, "Headers", scripts=True)
    page.locator("[name=headers-0-value]").fill("Bearer typed")
    expect_kept(page)
    poll(lambda: "Bearer typed" in CallDraft.objects.get().content())
    page.close()

    page = context.new_page()
    page.goto(site.url(f"{PAGE}{orders.pk}/"))
    expect(page.get_by_role("heading", name="You have unsaved changes")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Orders")
    expect_sound(page, WITH_PHONE)
    follow(page, page.get_by_role("link", name="Continue"))
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Shipments")
    expect(page.locator("[name=headers-0-value]")).to_have_value("")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Shipments is saved.")).to_be_visible()
    expect(page.get_by_role("heading", name="You have unsaved changes")).to_be_hidden()
    orders.refresh_from_db()
    assert orders.recipe().headers[0].value == "Bearer typed"


@pytest.mark.release
@pytest.mark.parametrize("scripts", [True, False])
def test_cancel_and_discard_can_be_undone(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, scripts: bool
) -> None:
    page = open_context(java_script_enabled=scripts, viewport={"width": 390, "height": 800}).new_page()
    open_page(page, site, NEW)
    fill(page, "Name", "Shipments")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("Your changes are discarded.")).to_be_visible()
    expect(page.get_by_role("heading", name="New APIs that are not saved")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Shipments")

    page.goto(site.url(PAGE))
    expect(page.get_by_text("Shipments · Changed today, ")).to_be_visible()
    if scripts:
        expect_sound(page, WITH_PHONE)
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("link", name="Continue")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Shipments")


@pytest.mark.release
def test_a_page_that_is_left_at_once_is_kept_and_back_offers_it(page: Page, site: Site, alice: User) -> None:
    open_page(page, site, NEW)
    fill(page, "Name", "Shipments")

    follow(page, page.get_by_role("link", name="3rd Party Apps API").first)
    poll(CallDraft.objects.exists)
    page.go_back()

    expect(page.get_by_role("heading", name="You have unsaved changes")).to_be_visible()
    expect(page.get_by_text("Shipments · Changed today, ")).to_be_visible()


def test_an_ended_session_loses_nothing(
    open_context: Callable[..., BrowserContext], site: Site, orders: OutboundApi
) -> None:
    context = open_context(expected_status=403)
    page = context.new_page()
    open_page(page, site, f"{PAGE}{orders.pk}/")
    hurry(page)
    Session.objects.all().delete()
    fill(page, "Name", "Shipments")
    line = page.locator("#draft-status")
    expect(line).to_contain_text("Not saved: you are logged out.")
    expect(line).to_have_attribute("aria-live", "polite")
    page.get_by_role("button", name="Save").click()
    expect(line).to_contain_text("Not saved: you are logged out.")
    fill(page, "Name", "Shipments of today")
    with page.expect_response("**/rows/"):
        page.get_by_role("button", name="Add row to Parameters").click()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Shipments of today")
    expect_sound(page, WITH_PHONE)

    other = context.new_page()
    other.goto(site.url(PAGE))
    log_in(other)
    expect(other.get_by_role("heading", name="3rd Party Apps API").first).to_be_visible()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect_kept(page)
    page.get_by_role("button", name="Add row to Parameters").click()
    expect(page.locator("[name=parameters-0-name]")).to_be_visible()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Shipments of today is saved.")).to_be_visible()


@pytest.mark.release
def test_a_page_of_another_account_keeps_nothing_there(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, bob: User
) -> None:
    page = open_context(expected_status=409).new_page()
    open_page(page, site, NEW)
    hurry(page)
    other = page.context.new_page()
    open_page(other, site, PAGE, "bob@example.org")

    fill(page, "Name", "Shipments")

    expect(page.locator("#draft-status")).to_contain_text("Not saved: another account is logged in.")
    assert not CallDraft.objects.exists()


@pytest.mark.release
def test_a_lost_connection_is_waited_for(page: Page, site: Site, alice: User) -> None:
    open_page(page, site, NEW)
    hurry(page)
    page.evaluate("[window.kept, window.fetch] = [fetch, async () => { throw new TypeError(); }]")

    fill(page, "Name", "Shipments")
    expect(page.locator("#draft-status")).to_contain_text("Not saved: the server can't be reached.")
    page.evaluate("window.fetch = window.kept; dispatchEvent(new Event('online'))")

    expect_kept(page)
    assert CallDraft.objects.count() == 1


@pytest.mark.release
def test_a_tab_goes_on_after_another_one_discarded_its_draft_or_deleted_its_api(
    context: BrowserContext, site: Site, alice: User, orders: OutboundApi
) -> None:
    first, second = context.new_page(), context.new_page()
    open_page(first, site, f"{PAGE}{orders.pk}/")
    hurry(first)
    fill(first, "Name", "Shipments")
    expect_kept(first)
    shared = CallDraft.objects.get().public_id
    second.goto(site.url(f"{PAGE}{orders.pk}/?draft={shared}"))
    second.get_by_role("button", name="Cancel", exact=True).click()
    expect(second.get_by_text("Your changes are discarded.")).to_be_visible()

    fill(first, "Name", "Shipments of today")
    poll(CallDraft.objects.current().exists)
    assert CallDraft.objects.current().get().public_id != shared
    api_deletion.delete(alice.pk, orders.pk)
    fill(first, "Name", "Shipments of tomorrow")

    expect(first.locator("#draft-status")).to_contain_text("This API was deleted meanwhile.")
    api_deletion.restore(alice.pk, orders.pk)
    second.goto(site.url(f"{PAGE}{orders.pk}/"))
    second.get_by_role("link", name="Continue").click()
    expect(second.get_by_role("textbox", name="Name", exact=True)).to_have_value("Shipments of tomorrow")
