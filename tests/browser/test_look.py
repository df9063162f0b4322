"""Every state of the page: nothing overflows and axe finds nothing, at every width, light and dark."""

from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import make_password
from playwright.sync_api import BrowserContext, Page, expect

from accounts import sign_ups
from accounts.models import SignUp, User
from developers.models import ApiToken
from tests.browser.conftest import Site
from tests.browser.people import TOKEN_PAGE, call_api, copy_token, open_page, open_token_page
from tests.browser.soundness import WITH_PHONE, expect_sound
from tests.cast import PASSWORD, token_text

pytestmark = pytest.mark.browser

LOGGED_OUT_PAGES = [
    "/account/login/",
    "/account/signup/",
    "/account/password/reset/",
    "/account/confirm-email/again/",
    "/no/such/page",
]
LOGGED_IN_PAGES = [
    "/account/",
    "/account/password/change/",
    "/account/reauthenticate/",
    "/account/logout/",
    "/developers/api-access-token/guide/",
]


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Page:
    return open_context(expected_status=404, permissions=["clipboard-read", "clipboard-write"]).new_page()


@pytest.mark.release
def test_the_token_page_is_sound_in_every_state(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    expect_sound(page, widths_for_axe=WITH_PHONE)

    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("button", name="Hide")).to_be_visible()
    expect_sound(page, widths_for_axe=WITH_PHONE)

    token = copy_token(page)
    expect_sound(page, widths_for_axe=WITH_PHONE)

    call_api(site, token)
    page.get_by_role("button", name="Revoke API Token").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect_sound(page, widths_for_axe=WITH_PHONE)

    page.get_by_role("button", name="Revoke and replace").click()
    expect(page.get_by_text("A new token is in place")).to_be_visible()
    expect_sound(page, widths_for_axe=WITH_PHONE)

    call_api(site, token)
    page.reload()
    expect(page.get_by_role("heading", name="Still in use somewhere")).to_be_visible()
    expect_sound(page, widths_for_axe=WITH_PHONE)


@pytest.mark.release
def test_a_token_that_cannot_be_read_is_reported_soundly(
    open_context: Callable[..., BrowserContext], site: Site, alice: User
) -> None:
    page = open_context(expected_status=409).new_page()
    open_token_page(page, site)
    ApiToken.objects.update(ciphertext="damaged")

    page.get_by_role("button", name="Show").click()

    expect(page.get_by_role("alert")).to_contain_text("This token can no longer be shown")
    expect(page.get_by_role("alert")).to_be_focused()
    expect_sound(page, widths_for_axe=WITH_PHONE)


def test_the_menu_of_small_screens_unfolds_soundly(
    open_context: Callable[..., BrowserContext], site: Site, alice: User
) -> None:
    page = open_context(viewport={"width": 390, "height": 800}).new_page()
    open_token_page(page, site)
    link = page.get_by_role("link", name="Developer")
    expect(link).to_be_hidden()

    page.get_by_role("button", name="Menu").click()

    expect(link).to_be_visible()
    expect_sound(page, widths=(390,), widths_for_axe=(390,))


@pytest.mark.release
def test_the_answers_to_plain_forms_are_sound(page: Page, site: Site, alice: User) -> None:
    """As without scripts, which axe itself needs."""
    open_token_page(page, site)
    page.locator("form:has(#token-visibility)").evaluate("form => form.submit()")
    expect(page.get_by_role("button", name="Hide")).to_be_visible()
    expect(page.locator("#token-status")).to_have_text("Shown until you leave this page.")
    expect_sound(page, widths_for_axe=WITH_PHONE)

    call_api(site, token_text(alice))
    page.locator(".token-facts__revoke").evaluate("form => form.submit()")
    expect(page.get_by_role("heading", name="This token is in use. Revoke it?", level=1)).to_be_visible()
    expect_sound(page, widths_for_axe=WITH_PHONE)


def visit_the_admin_site(page: Page, site: Site) -> None:
    page.goto(site.url("/admin/"))


def send_a_stale_form(page: Page, site: Site) -> None:
    page.context.clear_cookies(name="csrftoken")
    page.locator(".token-facts__revoke").evaluate("form => form.submit()")


def visit_an_act(page: Page, site: Site) -> None:
    page.goto(site.url(f"{TOKEN_PAGE}revoke/"))


def ask_for_too_many_resets(page: Page, site: Site) -> None:
    page.context.clear_cookies()
    address = site.url("/account/password/reset/")
    page.goto(address)
    page.get_by_label("Email").fill("nobody@example.com")
    form = page.evaluate("Object.fromEntries(new FormData(document.querySelector('form')))")
    for _ in range(20):
        page.context.request.post(address, form=form, max_redirects=0)
    page.keyboard.press("Enter")


@pytest.mark.release
def test_the_pages_that_refuse_are_sound(open_context: Callable[..., BrowserContext], site: Site, alice: User) -> None:
    refusals = [
        (403, "You can't open this page", visit_the_admin_site),
        (403, "This form is out of date", send_a_stale_form),
        (405, "You can't open this page directly", visit_an_act),
        (429, "Too many attempts", ask_for_too_many_resets),
    ]
    for status, title, reach in refusals:
        page = open_context(expected_status=status).new_page()
        open_token_page(page, site)

        reach(page, site)

        expect(page.get_by_role("heading", name=title)).to_be_visible()
        expect_sound(page, widths_for_axe=WITH_PHONE)


def test_the_pages_before_log_in_are_sound(page: Page, site: Site) -> None:
    for path in LOGGED_OUT_PAGES:
        page.goto(site.url(path))

        expect_sound(page)


@pytest.mark.release
def test_the_page_of_a_link_that_is_followed_in_another_browser_is_sound(page: Page, site: Site) -> None:
    waiting = SignUp.objects.create(email="carol@example.com", password=make_password(PASSWORD), browser="another")
    page.goto(site.url(sign_ups.path_of(waiting)))

    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Confirm with the new password").click()

    expect(page.get_by_text("This password is too short.")).to_be_visible()
    expect_sound(page)


def test_the_account_pages_are_sound(page: Page, site: Site, alice: User) -> None:
    for path in LOGGED_IN_PAGES:
        open_page(page, site, path)

        expect_sound(page)
