"""Try it: one click calls the API with the real token, and the page never holds it."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from developers.models import ApiToken
from tests.browser.conftest import Site
from tests.browser.people import TOKEN_PAGE, open_token_page
from tests.browser.soundness import expect_sound
from tests.browser.test_reauthentication import age_reauthentication
from tests.browser.test_token_page import STORAGE
from tests.cast import PASSWORD, token_events, token_text

pytestmark = pytest.mark.browser

ANSWERED = re.compile(r"^The API answered 200 after \d+ ms:$")


@pytest.fixture
def lenient_page(chromium: Browser) -> Iterator[Page]:
    """A page without the watch over the console: the browser itself logs each refused call."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def try_it(page: Page) -> None:
    page.get_by_role("button", name="Try it now").click()


def test_one_click_shows_what_the_api_answers_with_the_token_masked(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    token = token_text(alice)

    try_it(page)

    expect(page.locator("#try-it-status")).to_have_text(ANSWERED)
    answer = page.locator("#try-it-response").inner_text()
    assert answer.startswith(f"GET /api/v7/token\nAuthorization: Bearer bpat_{'•' * 42}{token[-4:]}\n\n200 OK\n")
    assert "content-type: application/json; charset=utf-8\n" in answer
    assert 'ratelimit: "token";r=599;t=60\n' in answer
    assert '"email": "alice@example.com",\n' in answer
    assert f'"hint": "{token[-4:]}",\n' in answer


def test_the_token_is_nowhere_in_the_page_afterwards(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)

    try_it(page)
    expect(page.locator("#try-it-status")).to_have_text(ANSWERED)

    assert token_text(alice)[5:17] not in page.content() + page.evaluate(STORAGE)


def test_trying_is_a_use_and_counts_as_one(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    facts = page.locator("#token-facts")
    expect(facts).to_contain_text("nothing uses it yet")

    try_it(page)

    expect(facts).to_contain_text(re.compile(r"Last used\s+Just now\s+from 127\.0\.0\.1 by HeadlessChrome, Linux"))
    assert list(token_events().values_list("kind", flat=True)) == ["token-tried", "token-issued"]
    page.get_by_role("button", name="Revoke API Token").click()
    expect(page.get_by_role("dialog", name="This token is in use. Revoke it?")).to_be_visible()


@pytest.mark.release
def test_the_call_carries_no_cookie(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)

    with page.expect_request("**/api/v7/token") as caught:
        try_it(page)

    assert "cookie" not in caught.value.all_headers()


@pytest.mark.release
def test_after_a_revoke_the_new_token_is_tried(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    page.get_by_role("button", name="Revoke API Token").click()
    expect(page.get_by_text("A new token is in place")).to_be_visible()

    try_it(page)

    expect(page.locator("#try-it-response")).to_contain_text(f"•{token_text(alice)[-4:]}")


@pytest.mark.release
def test_a_double_click_calls_once(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)

    page.get_by_role("button", name="Try it now").dblclick()
    expect(page.locator("#try-it-status")).to_have_text(ANSWERED)

    assert token_events().filter(kind="token-tried").count() == 1


@pytest.mark.release
def test_a_stale_reauthentication_leads_back_to_the_button(lenient_page: Page, site: Site, alice: User) -> None:
    page = lenient_page
    open_token_page(page, site)
    age_reauthentication()

    try_it(page)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#try-it-status")).to_have_text("Confirmed. Try again.")
    expect(page.get_by_role("button", name="Try it now")).to_be_focused()
    page.wait_for_load_state()
    page.keyboard.press("Enter")

    expect(page.locator("#try-it-status")).to_have_text(ANSWERED)


def test_a_refused_call_shows_what_the_api_says(lenient_page: Page, site: Site, alice: User) -> None:
    page = lenient_page
    open_token_page(page, site)
    page.route("**/try/", lambda route: route.fulfill(json={"token": "bpat_" + "0" * 46}))

    try_it(page)

    expect(page.locator("#try-it-status")).to_have_text(
        re.compile(r"^The API refused with 401 after \d+ ms, and says why:$")
    )
    answer = page.locator("#try-it-response")
    expect(answer).to_contain_text("401 Unauthorized")
    expect(answer).to_contain_text("This is not an API access token")


@pytest.mark.release
def test_a_token_that_cannot_be_read_is_reported(lenient_page: Page, site: Site, alice: User) -> None:
    page = lenient_page
    open_token_page(page, site)
    ApiToken.objects.update(ciphertext="damaged")

    try_it(page)

    expect(page.locator("#try-it-status")).to_have_text("This token can no longer be read. Revoke it to get a new one.")
    expect(page.locator("#try-it-response")).to_be_hidden()


@pytest.mark.release
def test_a_server_that_is_away_is_reported(lenient_page: Page, site: Site, alice: User) -> None:
    page = lenient_page
    open_token_page(page, site)
    page.context.set_offline(True)

    try_it(page)

    expect(page.locator("#try-it-status")).to_have_text("That did not work. Reload the page and try again.")


@pytest.mark.release
def test_an_answer_that_is_no_json_is_shown_as_it_is(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    token = token_text(alice)
    page.route("**/api/v7/token", lambda route: route.fulfill(body=f"<b>{token}</b>", content_type="text/html"))

    try_it(page)

    expect(page.locator("#try-it-response")).to_contain_text(f"<b>bpat_{'•' * 42}{token[-4:]}</b>")


@pytest.mark.release
def test_without_scripts_there_is_no_button(
    open_context: Callable[..., BrowserContext], site: Site, alice: User
) -> None:
    page = open_context(java_script_enabled=False).new_page()

    open_token_page(page, site)

    expect(page.get_by_text("Try it now")).to_be_hidden()


@pytest.mark.release
def test_the_answer_is_shown_soundly(open_context: Callable[..., BrowserContext], site: Site, alice: User) -> None:
    page = open_context().new_page()
    open_token_page(page, site)

    try_it(page)
    expect(page.locator("#try-it-status")).to_have_text(ANSWERED)
    expect(page.locator("#token-facts")).not_to_contain_text("Never")

    expect_sound(page)
    expect(page).to_have_url(site.url(TOKEN_PAGE))
