"""Bots and Inbox as people use them, in Chromium, with scripts and without."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment
from tests.browser.conftest import Site
from tests.browser.people import open_page
from tests.browser.soundness import expect_sound

pytestmark = pytest.mark.browser


@pytest.fixture
def people(alice: User) -> list[Contact]:
    """A bot and sixty contacts of Alice's, one of them with every field."""
    bot = Bot.objects.create(owner=alice, name="Shop assistant", platform="website")
    Contact.objects.bulk_create(
        Contact(owner=alice, bot=bot, name=f"Person {number}", email=f"person.{number}@example.com")
        for number in range(59)
    )
    cleo = Contact.objects.create(
        owner=alice,
        bot=bot,
        name="Cleo",
        phone="447700900123",
        phone_prefix="44",
        attributes={"plan": "Team"},
        notes=["Call back after six."],
    )
    ContactTag.objects.create(contact=cleo, name="vip")
    Segment.objects.create(owner=alice, name="Trial", tags=["trial", "newsletter"])
    return list(alice.contacts.newest_first())


def open_bots(page: Page, site: Site) -> None:
    open_page(page, site, "/bots/")
    expect(page.get_by_role("heading", name="Bots", exact=True)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, pytest.param(False, marks=pytest.mark.release)])
def test_a_bot_is_made_renamed_and_deleted(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, scripts: bool
) -> None:
    page = open_context(java_script_enabled=scripts).new_page()
    open_bots(page, site)
    page.get_by_role("link", name="Create your first bot").click()
    page.get_by_role("textbox", name="Name").fill("Front desk")
    page.get_by_label("Platform").select_option("WhatsApp")
    page.get_by_role("button", name="Create bot").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("Front desk is created."))
    expect(page.get_by_role("row")).to_have_count(2)

    page.get_by_role("link", name="Front desk").click()
    page.get_by_role("textbox", name="Name").fill("Night desk")
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_role("heading", name="Night desk")).to_be_visible()
    # A button pressed before the scripts run asks on a page of its own.
    page.wait_for_load_state()

    page.get_by_role("button", name="Delete bot").click()
    expect(page.get_by_role("heading", name="Delete Night desk?")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(int(scripts))
    page.get_by_role("button", name="Delete permanently").click()

    expect(page.get_by_role("heading", name="No bots yet")).to_be_visible()
    assert not alice.bots.exists()


@pytest.mark.release
def test_a_bot_is_kept_by_keyboard(page: Page, site: Site, people: list[Contact]) -> None:
    open_bots(page, site)
    page.get_by_role("link", name="Shop assistant", exact=True).press("Enter")
    # Loaded, scripts too: a button pressed before them asks on a page of its own.
    page.wait_for_url(re.compile("/bots/[0-9a-f]{24}/$"))
    delete = page.get_by_role("button", name="Delete bot")

    delete.press("Enter")
    expect(page.get_by_role("dialog", name="Delete Shop assistant?")).to_contain_text("Its 60 contacts stay")
    expect(page.get_by_role("button", name="Keep this bot")).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(delete).to_be_focused()
    assert Bot.objects.exists()


@pytest.mark.release
def test_deleting_what_another_tab_has_deleted_leads_to_the_page_that_says_so(
    chromium: Browser, site: Site, people: list[Contact]
) -> None:
    """Without the watch over the console: htmx logs the 404 there."""
    page = chromium.new_page()
    open_bots(page, site)
    page.get_by_role("link", name="Shop assistant", exact=True).click()
    expect(page.get_by_role("button", name="Delete bot")).to_be_visible()
    Bot.objects.all().delete()

    page.get_by_role("button", name="Delete bot").click()

    expect(page.get_by_role("heading", name="There is no page here")).to_be_visible()
    page.get_by_role("link", name="Go to your bots").click()
    expect(page.get_by_role("heading", name="No bots yet")).to_be_visible()
    page.close()


@pytest.mark.parametrize("scripts", [True, pytest.param(False, marks=pytest.mark.release)])
def test_a_contact_is_found_by_paging_and_by_search(
    open_context: Callable[..., BrowserContext], site: Site, people: list[Contact], scripts: bool
) -> None:
    page = open_context(java_script_enabled=scripts).new_page()
    open_bots(page, site)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Inbox").click()
    expect(page.get_by_role("row")).to_have_count(51)

    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("row")).to_have_count(11)
    page.reload()
    expect(page.get_by_role("link", name=str(people[59]), exact=True)).to_be_visible()
    page.get_by_role("link", name=str(people[59]), exact=True).click()
    expect(page.get_by_role("heading", name=str(people[59]), exact=True)).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Inbox").click()
    expect(page).to_have_url(site.url("/inbox/?page=2"))

    page.get_by_label("Name, email or number").fill("07700 900123")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Cleo").click()
    expect(page.get_by_role("main")).to_contain_text("Call back after six.")
    page.go_back()
    expect(page.get_by_label("Name, email or number")).to_have_value("07700 900123")


@pytest.mark.release
@pytest.mark.parametrize("scripts", [True, False])
def test_a_segment_is_made_applied_and_removed(
    open_context: Callable[..., BrowserContext], site: Site, people: list[Contact], scripts: bool
) -> None:
    page = open_context(java_script_enabled=scripts).new_page()
    open_bots(page, site)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Inbox").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Trial")
    page.get_by_label("Tags").fill("vip, partner")
    page.get_by_role("button", name="Add segment").click()
    expect(page.get_by_text("There is a segment of this name already.")).to_be_visible()
    page.get_by_role("textbox", name="Name", exact=True).fill("VIP")
    page.get_by_role("button", name="Add segment").click()

    expect(page.get_by_role("status")).to_have_text(re.compile("Segment VIP is added."))
    expect(page.get_by_label("Segment", exact=True)).to_have_value(Segment.objects.get(name="VIP").pk)
    expect(page.get_by_role("row")).to_have_count(2)

    page.get_by_role("button", name="Remove VIP").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("Segment VIP is removed."))
    expect(page.get_by_role("row")).to_have_count(51)


@pytest.mark.release
def test_no_control_takes_a_name_of_the_token_page(page: Page, site: Site, people: list[Contact]) -> None:
    open_bots(page, site)
    for path in ("/bots/", "/bots/new/", f"/bots/{people[0].bot_id}/", "/inbox/", f"/inbox/{people[0].pk}/"):
        page.goto(site.url(path))
        expect(page.get_by_role("link", name="Create New Bot")).to_be_visible()
        expect(page.get_by_role("button", name="More")).to_have_count(1)
        for name in ("Copy", "Show", "Revoke API Token", "Log in"):
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)


@pytest.mark.release
def test_the_pages_are_sound(open_context: Callable[..., BrowserContext], site: Site, alice: User) -> None:
    page = open_context().new_page()
    open_bots(page, site)
    expect_sound(page)
    bot = Bot.objects.create(owner=alice, name="Shop assistant " * 6, platform="website")
    cleo = Contact.objects.create(
        owner=alice,
        bot=bot,
        name="Cleo " * 30,
        email=f"{'c' * 60}@{'d' * 60}.example.com",
        phone="44" + "7" * 13,
        phone_prefix="44",
        attributes={"k" * 60: "v" * 200},
        notes=["n" * 200],
    )
    ContactTag.objects.create(contact=cleo, name="t" * 60)
    Contact.objects.bulk_create(Contact(owner=alice, name=f"Person {number}") for number in range(50))
    segment = Segment.objects.create(owner=alice, name="s" * 100, tags=["t" * 60])

    for path in ("/bots/", "/bots/new/", f"/inbox/?segment={segment.pk}", "/inbox/?page=2", f"/inbox/{cleo.pk}/"):
        page.goto(site.url(path))
        expect_sound(page)

    page.goto(site.url(f"/bots/{bot.pk}/"))
    page.get_by_role("button", name="Delete bot").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect_sound(page)
