"""The reference of the API in Chromium: folded operations, search, copying, and running one with the own token."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from accounts.models import User
from botpenguin.platform.models import Bot
from tests.browser.conftest import Site
from tests.browser.people import log_in, open_page
from tests.browser.soundness import expect_sound
from tests.browser.test_reauthentication import age_reauthentication
from tests.cast import PASSWORD, token_text

pytestmark = [pytest.mark.browser, pytest.mark.release]

REFERENCE = "/api/v7/docs"
ANSWERED = re.compile(r"^The API answered 20[01] after \d+ ms:$")


def operation_of(page: Page, name: str) -> Locator:
    return page.locator(f"#{name}")


def run(operation: Locator, method: str) -> None:
    operation.get_by_role("button", name=f"Send {method}").click()
    expect(operation.get_by_role("status").last).to_have_text(ANSWERED)


def open_to_run(page: Page, site: Site, name: str) -> Locator:
    open_page(page, site, f"{REFERENCE}?language=bash#{name}")
    operation = operation_of(page, name)
    operation.get_by_text("Run with my token").click()
    return operation


def test_a_visitor_finds_an_operation_and_copies_it_in_their_language(page: Page, site: Site) -> None:
    page.goto(site.url(REFERENCE))
    expect_sound(page)

    page.get_by_role("link", name="Python").click()
    page.get_by_label("Search operations").fill("import CONTACT")
    expect(page.get_by_text("Operations found: ", exact=False)).to_be_visible()
    expect(operation_of(page, "list_bots")).to_be_hidden()
    page.get_by_role("navigation", name="Endpoints").get_by_role("link", name="Import contacts").click()
    operation = operation_of(page, "import_contacts")
    operation.get_by_role("button", name="Copy the request: Import contacts").click()

    expect(operation.get_by_text("Copied to the clipboard.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("import os\n\nimport requests\n")
    expect(operation.get_by_text("Run with my token")).to_have_count(0)
    expect_sound(page)


def test_an_address_with_an_operation_opens_it(page: Page, site: Site) -> None:
    page.goto(site.url(f"{REFERENCE}#update_status"))

    expect(operation_of(page, "update_status").get_by_text("Request in Bash")).to_be_in_viewport()
    expect(operation_of(page, "list_bots").get_by_text("Request in Bash")).to_be_hidden()


def test_reading_is_run_with_the_masked_token(page: Page, site: Site, alice: User) -> None:
    bot = Bot.objects.create(owner=alice, name="Front desk", platform="website")
    operation = open_to_run(page, site, "read_bot")

    run(operation, "GET")

    answer = operation.locator(".try-it__response").inner_text()
    token = token_text(alice)
    assert answer.startswith(
        f"GET /api/v7/bots/{bot.pk}\nAuthorization: Bearer bpat_{'•' * 42}{token[-4:]}\n\n200 OK\n"
    )
    assert '"name": "Front desk"' in answer
    assert token not in page.content()
    expect_sound(page)


def test_writing_asks_first_and_sends_the_body_as_it_was_edited(page: Page, site: Site, alice: User) -> None:
    operation = open_to_run(page, site, "create_bot")
    expect(operation.get_by_text("This may change your account")).to_be_visible()
    assert not alice.bots.exists()

    operation.get_by_label("Body").fill('{"name": "Réception", "platform": "sms"}')
    run(operation, "POST")

    assert list(alice.bots.values_list("name", "platform")) == [("Réception", "sms")]


def test_what_the_api_refuses_is_shown(open_context: Callable[..., BrowserContext], site: Site, alice: User) -> None:
    page = open_context(expected_status=400).new_page()
    operation = open_to_run(page, site, "create_bot")

    operation.get_by_label("Body").fill("{nonsense")
    with page.expect_response("**/api/v7/bots"):
        operation.get_by_role("button", name="Send POST").click()

    expect(operation.get_by_role("status").last).to_have_text(re.compile(r"^The API refused with 4\d\d after"))
    assert not alice.bots.exists()


def test_an_old_log_in_confirms_and_is_back_at_the_operation(
    open_context: Callable[..., BrowserContext], site: Site, alice: User
) -> None:
    page = open_context(expected_status=403).new_page()
    operation = open_to_run(page, site, "read_token")
    age_reauthentication()

    operation.get_by_role("button", name="Send GET").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()

    expect(operation.get_by_text("Confirmed. Send again.")).to_be_visible()
    run(operation, "GET")


def test_without_scripts_operations_unfold_and_nothing_offers_what_needs_them(
    open_context: Callable[..., BrowserContext], site: Site, alice: User
) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto(site.url(f"/account/login/?next={REFERENCE}"))
    log_in(page)
    page.goto(site.url(REFERENCE))

    page.get_by_role("link", name="PowerShell").click()
    page.locator("#create_bot summary").first.click()

    expect(page.locator("#create_bot").get_by_text("Invoke-RestMethod")).to_be_visible()
    for gone in ["Search operations", "Run with my token", "Copy the request"]:
        expect(page.locator("#create_bot").get_by_text(gone)).to_be_hidden()
    expect(page.get_by_label("Search operations")).to_be_hidden()
