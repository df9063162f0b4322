"""The test bench of the editor, in Chromium: sending, cancelling, errors, values and contacts."""

import json
import re
from collections.abc import Callable, Iterator
from threading import Event

import pytest
from playwright.sync_api import BrowserContext, FloatRect, Page, expect

from accounts.models import User
from botpenguin.platform.models import Bot, Contact
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import Recipe, RecipeField
from tests.browser.conftest import Site
from tests.browser.outbound import PAGE
from tests.browser.people import follow, open_page
from tests.browser.soundness import expect_sound
from tests.developers.outbound.servers import LocalServer, Peer, response
from tests.server import poll

pytestmark = pytest.mark.browser

PHONE_AND_DESK = (390, 1280)
NOWHERE: FloatRect = {"x": -1, "y": -1, "width": 0, "height": 0}


class SlowServer:
    """A server that does not answer `/slow`, and notes when its caller comes and goes."""

    def __init__(self) -> None:
        self.asked, self.gone = Event(), Event()

    def __call__(self, peer: Peer) -> None:
        path = peer.read_request().split(b" ")[1]
        if path.startswith(b"/slow"):
            self.asked.set()
            peer.wait_until_gone()
            self.gone.set()
            return
        body = json.dumps({"path": path.decode(), "items": list(range(30))}).encode()
        peer.send(response(body, "Content-Type: application/json"))


@pytest.fixture
def slow() -> SlowServer:
    return SlowServer()


@pytest.fixture
def local_server(slow: SlowServer) -> Iterator[LocalServer]:
    with LocalServer(slow) as server:
        yield server


def open_editor(page: Page, site: Site, api: OutboundApi | None = None) -> None:
    open_page(page, site, f"{PAGE}{api.pk if api else 'new'}/")
    expect(page.locator("#editor")).to_be_visible()


def sound(page: Page, *, scripts: bool = True) -> None:
    """Check a state of the page. axe needs scripts."""
    expect_sound(page, widths=PHONE_AND_DESK, widths_for_axe=PHONE_AND_DESK if scripts else (0,))


def test_a_test_runs_once_shows_its_time_and_is_cancelled(
    page: Page, site: Site, alice: User, local_server: LocalServer, slow: SlowServer
) -> None:
    open_editor(page, site)
    sound(page)
    status, cancel, send = page.locator("#test-status"), page.locator("#cancel"), page.locator("#send")
    expect(cancel).to_be_disabled()
    page.evaluate("window.statusBefore = document.getElementById('test-status')")
    page.get_by_role("textbox", name="URL").fill(f"{local_server.url}/slow")

    page.get_by_role("textbox", name="URL").press("Control+Enter")
    expect(status).to_have_text("Sending…")
    page.get_by_role("textbox", name="URL").press("Meta+Enter")
    send.dblclick(force=True)
    assert slow.asked.wait(30)
    expect(send).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#outcome")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#elapsed")).to_have_text(re.compile(r"^0\.[1-9] s$|^[1-9]\.\d s$"))
    expect(page.locator("#elapsed")).to_have_attribute("aria-hidden", "true")
    sound(page)
    cancel.click()

    expect(status).to_have_text(re.compile(r"Cancelled after \d+\.\d s\. The server may have got the request\."))
    assert slow.gone.wait(30)
    expect(cancel).to_be_disabled()
    expect(send).to_be_focused()
    expect(send).not_to_have_attribute("aria-disabled", "true")
    expect(page.locator("#outcome")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("#elapsed")).to_be_hidden()
    sound(page)
    assert len(local_server.requests) == 1
    poll(lambda: ApiLog.objects.get().problem.startswith("Cancelled after "))
    page.get_by_role("textbox", name="URL").fill(f"{local_server.url}/quick")
    send.click()
    expect(status).to_have_text(re.compile(r"200 OK\s+\d\.\d\d\ss\s+\d+\sbytes"))
    assert page.evaluate("window.statusBefore === document.getElementById('test-status')")
    sound(page)


@pytest.mark.release
@pytest.mark.parametrize("width", [PHONE_AND_DESK[0], pytest.param(PHONE_AND_DESK[1], marks=pytest.mark.release)])
def test_the_bar_stays_in_sight_and_covers_no_field(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, local_server: LocalServer, width: int
) -> None:
    rows = tuple(RecipeField(f"p{number}", "x") for number in range(30))
    api = OutboundApi.objects.make(alice, "Orders", Recipe("GET", f"{local_server.url}/orders", rows))
    page = open_context(viewport={"width": width, "height": 700}).new_page()
    open_editor(page, site, api)
    last = page.locator("[name=parameters-29-value]")

    last.fill("last")
    last.press("Control+Enter")

    expect(page.locator("#test-status")).to_contain_text("200 OK")
    expect(last).to_be_focused()
    expect(page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("textbox", name="URL")).to_be_in_viewport(ratio=1)
    assert b"p29=last" in local_server.requests[0]
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        assert not page.locator(":focus").evaluate(
            """field => {
              const [box, bar] = [field, document.getElementById("bench")].map((each) => each.getBoundingClientRect());
              return !field.closest("#bench") && box.top < bar.bottom - 1 && box.bottom > bar.top;
            }"""
        )


@pytest.mark.release
def test_errors_go_once_they_no_longer_hold_and_focus_and_scroll_stay(
    page: Page, site: Site, alice: User, local_server: LocalServer
) -> None:
    open_editor(page, site)
    page.get_by_role("tab", name="Headers").click()
    page.get_by_role("button", name="Add row to Headers").click()
    page.locator("[name=headers-0-value]").fill("on")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Give the API a name.")).to_be_visible()
    page.get_by_role("tab", name="Parameters").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#test-status")).to_have_text("Not sent: see the marked fields.")
    # A test needs no name; saving does.
    expect(page.get_by_text("Give the API a name.")).to_be_visible()
    page.get_by_label("Name").fill("Orders")

    page.get_by_role("button", name="Send").click()

    expect(page.get_by_text("Give the API a name.")).to_have_count(0)
    expect(page.get_by_label("Name")).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#test-status")).to_have_text("Not sent: see the marked fields.")
    expect(page.get_by_role("textbox", name="URL")).to_be_focused()
    expect(page.get_by_role("textbox", name="URL")).to_have_attribute("aria-describedby", "id_url_error")
    sound(page)
    page.get_by_role("textbox", name="URL").fill(f"{local_server.url}/orders")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[name=headers-0-name]")).to_be_focused()
    expect(page.get_by_role("tab", name="Headers")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("textbox", name="Key")).to_have_accessible_description("Give it a key, or remove the row.")
    page.locator("[name=headers-0-name]").fill("X-Trace")
    page.locator("[name=headers-0-value]").focus()
    before = page.evaluate("scrollY")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#test-status")).to_contain_text("200 OK")
    expect(page.locator("#editor .field__error")).to_have_count(0)
    expect(page.locator("#editor [aria-invalid=true]")).to_have_count(0)
    expect(page.locator("[name=headers-0-value]")).to_be_focused()
    assert page.evaluate("scrollY") == before
    assert not OutboundApi.objects.exists()


@pytest.mark.release
def test_enter_in_the_values_sends_and_a_contact_fills_them(
    page: Page, site: Site, alice: User, local_server: LocalServer
) -> None:
    bot = Bot.objects.create(owner=alice, name="Shop helper", platform="website")
    Contact.objects.create(owner=alice, bot=bot, name="Ann", email="ann@example.com", attributes={"Order": "A-17"})
    Contact.objects.create(owner=alice, name="Ben", searched="ben")
    open_editor(page, site)
    page.get_by_role("textbox", name="URL").fill(f"{local_server.url}/{{{{name}}}}/{{{{order}}}}/{{{{day}}}}")

    page.get_by_role("textbox", name="URL").press("Control+Enter")

    expect(page.locator("#sample-name")).to_be_focused()
    expect(page.locator("#sample-name")).to_have_accessible_description("Enter a value for the test.")
    page.locator("#sample-day").fill("today")
    page.get_by_role("button", name="Test as a contact").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Ben Talks to no bot")).to_be_visible()
    sound(page)
    dialog.get_by_label("Name, email or number").fill("ann@")
    dialog.get_by_label("Name, email or number").press("Enter")
    expect(dialog.get_by_role("button", name="Ben")).to_have_count(0)
    dialog.get_by_role("button", name="Ann Shop helper name Ann order A-17").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("#sample-name")).to_be_focused()
    expect(page.locator("#samples-note")).to_have_text(
        "Filled in from Ann. This contact has no day: that value stays as it is."
    )
    page.locator("#sample-order").press("Enter")

    expect(page.locator("#test-status")).to_contain_text("200 OK")
    expect(page.locator("#sample-order")).to_be_focused()
    expect(page.locator("#samples [aria-invalid=true]")).to_have_count(0)
    assert [request.split(b" ")[1] for request in local_server.requests] == [b"/Ann/A-17/today"]
    sound(page)
    assert not OutboundApi.objects.exists()


@pytest.mark.release
def test_without_scripts_the_values_have_a_page_and_nothing_that_needs_scripts_shows(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, local_server: LocalServer
) -> None:
    Contact.objects.create(owner=alice, name="Ann", attributes={"order": "A-17"})
    api = OutboundApi.objects.make(alice, "Orders", Recipe("GET", f"{local_server.url}/{{{{order}}}}/{{{{day}}}}"))
    page = open_context(java_script_enabled=False).new_page()
    open_editor(page, site, api)
    for words in ("Type /", "Ctrl+Enter"):
        expect(page.get_by_text(words)).to_be_hidden()
    for name in ("Insert an attribute", "Copy"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.locator("#cancel")).to_be_hidden()
    expect(page.locator("#sample-order")).to_be_hidden()
    sound(page, scripts=False)
    page.get_by_label("Name").fill("Shipments")

    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Values to test with")).to_be_visible()
    sound(page, scripts=False)
    page.get_by_label("day").fill("today")
    page.get_by_role("button", name="Test as a contact").click()
    page.get_by_label("Name, email or number").fill("ann")
    with page.expect_event("load"):
        page.get_by_label("Name, email or number").press("Enter")
    sound(page, scripts=False)
    page.get_by_role("button", name="Ann").click()
    expect(page.get_by_text("This contact has no day: that value stays as it is.")).to_be_visible()
    page.get_by_label("day").press("Enter")

    expect(page.locator("#test-status")).to_contain_text("200 OK")
    expect(page.get_by_label("Name")).to_have_value("Shipments")
    sound(page, scripts=False)
    assert [request.split(b" ")[1] for request in local_server.requests] == [b"/A-17/today"]
    page.get_by_role("button", name="Change values").click()
    page.get_by_role("button", name="Back to the editor").click()
    expect(page.get_by_label("Name")).to_have_value("Shipments")
    assert OutboundApi.objects.get().name == "Orders"


@pytest.mark.release
def test_what_was_read_stands_beside_the_form_where_there_is_room(page: Page, site: Site, alice: User) -> None:
    open_page(page, site, f"{PAGE}import/")
    page.get_by_label("Call").fill("curl https://api.example.com/orders?a=1 -H 'X-A: b' --compressed -k")
    follow(page, page.get_by_role("button", name="Read the call"))
    notice, form = page.locator(".editor__notice"), page.locator("#editor")

    sound(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    beside = [each.bounding_box() or NOWHERE for each in (form, notice)]
    page.set_viewport_size({"width": 1200, "height": 800})
    above = [each.bounding_box() or NOWHERE for each in (form, notice)]

    assert beside[0]["x"] + beside[0]["width"] <= beside[1]["x"]
    assert above[1]["y"] + above[1]["height"] <= above[0]["y"]


@pytest.mark.release
def test_the_pages_of_the_values_are_sound_without_scripts(
    open_context: Callable[..., BrowserContext], site: Site, alice: User
) -> None:
    Contact.objects.create(owner=alice, name="Ann", attributes={"order": "A-17"})
    api = OutboundApi.objects.make(alice, "Orders", Recipe("GET", "https://api.example.com/{{order}}"))
    context = open_context()
    # axe is a script itself, so the browser runs scripts, and those of the page are empty.
    context.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page = context.new_page()
    open_editor(page, site, api)

    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Values to test with")).to_be_visible()
    sound(page)
    page.get_by_role("button", name="Test as a contact").click()
    expect(page.get_by_role("button", name="Ann")).to_be_visible()
    sound(page)
