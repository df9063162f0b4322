"""The body of a call: each kind has its editor, and what was written for another kind is kept; in Chromium."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe, RecipeField
from tests.browser.conftest import Site
from tests.browser.outbound import PAGE, answer_with_order, open_part, open_tab
from tests.browser.people import follow, open_page
from tests.browser.soundness import expect_sound
from tests.developers.outbound.servers import LocalServer

pytestmark = pytest.mark.browser

LOOKS = (390, 1280)


@pytest.fixture
def local_server() -> Iterator[LocalServer]:
    with LocalServer(answer_with_order) as local_server:
        yield local_server


def type_row(page: Page, number: int, name: str, value: str) -> None:
    page.get_by_role("button", name="Add row to Fields").click()
    page.locator(f"[name=body_fields-{number}-name]").fill(name)
    page.locator(f"[name=body_fields-{number}-value]").fill(value)


def look_at(page: Page, scripts: bool) -> None:
    if scripts:
        expect_sound(page, LOOKS, LOOKS)


@pytest.mark.release
@pytest.mark.parametrize("scripts", [True, False])
def test_the_kind_chooses_the_editor_and_loses_nothing(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, local_server: LocalServer, scripts: bool
) -> None:
    OutboundApi.objects.make(alice, "Orders", Recipe("POST", f"{local_server.url}/orders", body='{"a": 1}'))
    page = open_context(java_script_enabled=scripts).new_page()
    open_tab(page, site)
    follow(page, page.get_by_role("link", name="Edit Orders"))
    open_part(page, "Body", scripts)
    kind, text = page.get_by_label("Kind"), page.get_by_label("Content", exact=True)
    expect(page.get_by_role("button", name="Add row to Fields")).to_be_hidden()
    text.fill('{"b": 2}')

    kind.select_option("Form")
    expect(text).to_be_hidden()
    type_row(page, 0, "first name", "Zoë & co")
    type_row(page, 1, "token", "s3cret")
    type_row(page, 2, "gone", "x")
    page.get_by_role("button", name="Remove row 3 of Fields").click()
    expect(page.get_by_role("button", name="Undo the removal of gone")).to_be_visible()
    expect(page.get_by_label("Content-Type (optional)").first).to_be_hidden()
    look_at(page, scripts)
    kind.select_option("Multipart form")
    page.locator("[name=body_fields-0-content_type]").fill("text/x")
    look_at(page, scripts)
    kind.select_option("None")
    expect(page.get_by_text("The call is sent without a body.")).to_be_visible()
    kind.select_option("JSON")
    expect(text).to_have_value('{"b": 2}')
    kind.select_option("Form")
    follow(page, page.get_by_role("button", name="Save"))

    fields = (RecipeField("first name", "Zoë & co", content_type="text/x"), RecipeField("token", "s3cret", True))
    assert OutboundApi.objects.get().recipe() == Recipe(
        "POST", f"{local_server.url}/orders", body='{"b": 2}', body_kind="form", body_fields=fields
    )
    expect(page.locator("#command")).to_contain_text("--data-raw first+name=Zo%C3%AB+%26+co")
    expect(page.locator("#command")).to_contain_text('--data-urlencode token="$TOKEN"')
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("200 OK").first).to_be_visible()
    assert local_server.requests[0].endswith(b"\r\n\r\nfirst+name=Zo%C3%AB+%26+co&token=s3cret")


@pytest.mark.release
def test_a_pasted_multipart_form_becomes_rows_and_an_error_of_a_row_is_shown(
    page: Page, site: Site, alice: User, local_server: LocalServer
) -> None:
    open_page(page, site, f"{PAGE}import/")
    page.get_by_label("Call").fill(
        f"curl {local_server.url} -F $'note=two\\nlines' -F 'meta={{}};type=application/json' -F photo=@cat.png"
    )
    follow(page, page.get_by_role("button", name="Read the call"))
    expect(page.get_by_text("The field photo is the file cat.png.")).to_be_visible()
    page.get_by_role("textbox", name="Name").fill("Notes")
    open_part(page, "Body", scripts=True)
    expect(page.locator("[name=body_fields-0-value]")).to_have_value("two\nlines")
    page.get_by_role("button", name="Remove row 3 of Fields").click()
    expect(page.get_by_text("photo is removed.")).to_be_visible()
    page.locator("[name=body_fields-1-content_type]").fill("json")
    page.get_by_role("tab", name="Headers").click()

    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Write a Content-Type such as application/json, or leave it empty.")).to_be_visible()
    expect(page.get_by_role("tab", name="Body")).to_have_attribute("aria-selected", "true")
    expect(page.locator("[name=body_fields-1-content_type]")).to_be_focused()
    page.get_by_label("Kind").select_option("JSON")
    expect(page.get_by_text("Write a Content-Type such as application/json, or leave it empty.")).to_be_visible()
    expect_sound(page, LOOKS, LOOKS)
    page.get_by_label("Kind").select_option("Multipart form")
    page.locator("[name=body_fields-1-content_type]").fill("application/json")
    page.get_by_role("button", name="Send", exact=True).click()

    expect(page.get_by_text("200 OK").first).to_be_visible()
    body = local_server.requests[0].partition(b"\r\n\r\n")[2]
    assert b'name="note"\r\n\r\ntwo\nlines\r\n' in body
    assert b'name="meta"\r\nContent-Type: application/json\r\n\r\n{}\r\n' in body
    assert b"photo" not in body


@pytest.mark.release
def test_the_line_that_an_error_of_json_names_is_numbered(page: Page, site: Site, alice: User) -> None:
    OutboundApi.objects.make(alice, "Orders", Recipe("POST", "https://api.example.com", body='{"a": 1}'))
    open_tab(page, site)
    follow(page, page.get_by_role("link", name="Edit Orders"))
    open_part(page, "Body", scripts=True)
    numbers, text = page.locator(".lines__numbers"), page.get_by_label("Content", exact=True)
    expect(numbers).to_have_text("1")

    text.fill('{\n  "a": 1,\n  b: 2\n}' + "\n" * 20)
    page.get_by_role("button", name="Save").first.click()

    expect(page.get_by_text("The body is not JSON: see line 3, column 3.")).to_be_visible()
    expect(text).to_be_focused()
    expect(numbers).to_have_text(" ".join(str(line) for line in range(1, 25)), use_inner_text=True)
    text.evaluate("text => { text.scrollTop = 200 }")
    expect(numbers).to_have_js_property("scrollTop", 200)
    expect_sound(page, LOOKS, LOOKS)
    page.get_by_label("Kind").select_option("Text")
    expect(numbers).to_be_hidden()
